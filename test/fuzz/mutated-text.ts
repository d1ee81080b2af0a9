/** Mutated valid texts: with pieces deleted, inserted, duplicated and moved. */

import fc from "fast-check";

const pieces = [
  ...["{", "}", "[", "]", '"', "\\", ",", ":", "{}", "[]", "null", "true", "-1", "1e400", "9007199254740993"],
  ...['"dataType":"bi",', '"value":"ff",', '"type":"Buffer","data":[1,2],', '"__proto__":{},', '"sig":"",'],
  ...["\u0000", "\n", "\u202e", "\\ud800", "é", '"":"",', '"-1":', '"constructor":1,', "0".repeat(64)],
  `${'{"dataType":"bi","value":'.repeat(110)}"ff"${"}".repeat(110)}`,
  `${"[".repeat(600)}${"]".repeat(600)}`,
  `${'{"type":"Buffer","data":['.repeat(50)}1${"]}".repeat(50)}`,
];

interface Edit {
  /** The position as a share of the text. */
  readonly at: number;
  readonly drop: number;
  readonly insert: string;
  /** Whether the deleted piece is inserted elsewhere. */
  readonly to: number | undefined;
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const edit: fc.Arbitrary<Edit> = fc.record({
  at: share,
  drop: fc.oneof(fc.constant(0), fc.nat({ max: 8 }), fc.nat({ max: 200 })),
  insert: fc.oneof(
    fc.constant(""),
    fc.constantFrom(...pieces),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  ),
  to: fc.option(share, { nil: undefined }),
});

export function mutatedText(originals: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...originals), fc.array(edit, { maxLength: 5 }))
    .map(([original, edits]) => edits.reduce(edited, original));
}

function edited(text: string, { at, drop, insert, to }: Edit): string {
  const from = Math.floor(at * text.length);
  const dropped = text.slice(from, from + drop);
  const rest = text.slice(0, from) + insert + text.slice(from + drop);
  if (to === undefined) return rest;
  const place = Math.floor(to * rest.length);
  return rest.slice(0, place) + dropped + rest.slice(place);
}
