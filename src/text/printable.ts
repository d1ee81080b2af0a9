/**
 * Makes text from outside safe for terminals and logs. A message is one line, so that text from outside cannot start a
 * line of its own. Text of several lines is a list of messages.
 */

import { lineCharactersMax } from "../limits/text.ts";

/**
 * Characters that control a terminal, reverse a line or are invisible: controls (C0, C1), format characters
 * (bidirectional controls, tags, zero width), line and paragraph separators, lone surrogates, and the characters that
 * Unicode calls ignorable.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Returns the text on one line, with a space for each unprintable character. */
export function printable(text: string): string {
  return text.replace(unprintable, " ");
}

/** Returns a message that may contain text from outside: printable and of bounded length. */
export function messageLine(text: string): string {
  const short = text.length > lineCharactersMax ? `${text.slice(0, lineCharactersMax)}…` : text;
  return printable(short);
}

/**
 * Returns a value as one line of JSON, with every string and key printable. `evidence` keeps its characters, escaped,
 * because signatures cover it.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(cleaned(value)).replace(unprintable, escaped);
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
