/** Numbers with their nouns, for messages: `1 finding`, `2 findings`. */

/** @param shown the number as it is to be read */
export function counted(count: number, noun: string, shown: string = String(count)): string {
  return `${shown} ${count === 1 ? noun : pluralOf(noun)}`;
}

/** Which verb the number takes. */
export function isOrAre(count: number): "is" | "are" {
  return count === 1 ? "is" : "are";
}

/** The last word of the noun: `hash` → `hashes`, `query` → `queries`. */
function pluralOf(noun: string): string {
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(s|x|sh|ch)$/.test(noun) ? `${noun}es` : `${noun}s`;
}
