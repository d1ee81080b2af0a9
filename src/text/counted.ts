/** Numbers with their nouns, for messages: `1 finding`, `2 findings`. */

/** @param shown the number as text */
export function counted(count: number, noun: string, shown: string = String(count)): string {
  return `${shown} ${count === 1 ? noun : pluralOf(noun)}`;
}

/** Returns the verb for a number. */
export function isOrAre(count: number): "is" | "are" {
  return count === 1 ? "is" : "are";
}

/** Returns the plural: `hash` → `hashes`, `query` → `queries`. */
function pluralOf(noun: string): string {
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(s|x|sh|ch)$/.test(noun) ? `${noun}es` : `${noun}s`;
}
