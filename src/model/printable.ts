/** Characters that a terminal would obey rather than show, or that turn a line around. */
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text from outside, for people: what would not be shown is a space, and lines stay lines. */
export function printable(text: string): string {
  return text.replace(obeyed, (character) => (character === "\n" ? character : " "));
}
