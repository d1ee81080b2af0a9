/**
 * Text from outside, for people and for their terminals. A message is one line: its line ends cannot be told
 * from those of whoever wrote a part of it, so whatever has several lines is a list of messages.
 */

import { lineCharactersMax } from "../limits/text.ts";

/**
 * Characters that a terminal obeys rather than shows, that turn a line around, or that nobody can see: controls
 * (C0, C1), format characters (bidirectional controls, tags, zero width), line and paragraph separators, half
 * surrogate pairs, and whatever Unicode calls ignorable.
 */
const obeyed = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** The text on one line, with a space for each character that is not shown. */
export function printable(text: string): string {
  return text.replace(obeyed, " ");
}

/** A message that may hold text from outside: printable, and of a length that a person still reads. */
export function messageLine(text: string): string {
  const short = text.length > lineCharactersMax ? `${text.slice(0, lineCharactersMax)}…` : text;
  return printable(short);
}

/**
 * A value as one line of JSON, every string and key in it printable. Only `evidence` stays exactly as it is, with
 * such characters escaped: signatures cover it.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(cleaned(value)).replace(obeyed, escaped);
}

function cleaned(value: unknown): unknown {
  if (typeof value === "string") return printable(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(cleaned);
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      printable(key),
      key === "evidence" ? field : cleaned(field),
    ]),
  );
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
  ).join("");
}
