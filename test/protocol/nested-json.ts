/** JSON texts with typed values inside typed values, and with values that resemble them. */

import fc from "fast-check";

const atoms = [
  '"ff"',
  '"5"',
  '" 7 "',
  '"7 "',
  '"0x10"',
  '"a"',
  '""',
  '"1,2"',
  '"AQ=="',
  '"NQ=="',
  '"ZmY="',
  '"Buffer"',
  '"\\ufeff9"',
  "0",
  "-0",
  "-1",
  "7",
  "255",
  "256",
  "1.9",
  "1e21",
  "1e400",
  "true",
  "false",
  "null",
];
const dataTypes = ['"bi"', '"bb"', '"u8ab"', '"x"', '""', "null", "0", "[]"];
const keys = ["a", "9", "10", "sig", "value", "data", "type", "dataType", "toJSON", "toString", "valueOf"];
const forbiddenKeys = ["__proto__", "constructor", "prototype", "\\u005f_proto__"];

const space = fc.constantFrom("", "", "", "", " ", "\n\t");
const atom = fc.constantFrom(...atoms);
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...keys) },
  { weight: 1, arbitrary: fc.constantFrom(...forbiddenKeys) },
);

type Entry = readonly [string, string];

const objectOf = (entries: readonly Entry[], between = "") =>
  `{${between}${entries.map(([name, value]) => `"${name}"${between}:${between}${value}`).join(`${between},`)}}`;

const inEitherOrder = (entries: readonly Entry[], isReversed: boolean) =>
  objectOf(isReversed ? [...entries].reverse() : entries);

const { value } = fc.letrec<{ value: string; list: string; typed: string; digits: string; bytes: string }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 3, arbitrary: atom },
      { weight: 5, arbitrary: tie("typed") },
      { weight: 2, arbitrary: tie("list") },
      {
        weight: 3,
        arbitrary: fc
          .tuple(fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }), space)
          .map(([entries, between]) => objectOf(entries, between)),
      },
    ),
    list: fc
      .tuple(fc.array(tie("value"), { maxLength: 3 }), space)
      .map(([items, between]) => `[${between}${items.join(`,${between}`)}]`),
    // Mostly valid digits: otherwise nearly all texts with a big integer are rejected.
    digits: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 6, arbitrary: fc.constantFrom('"ff"', '"5"', '"7 "', '"00A0"', "7", "255", "-0") },
      { weight: 2, arbitrary: tie("digits").map((of) => `[${of}]`) },
      {
        weight: 3,
        arbitrary: tie("digits").map((of) =>
          objectOf([
            ["dataType", '"bi"'],
            ["value", of],
          ]),
        ),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom('"NQ=="', '"ZmY="', '"AQ=="').map((of) =>
          objectOf([
            ["value", of],
            ["dataType", '"bb"'],
          ]),
        ),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom('"NQ=="', '"AQ=="').map((of) =>
          objectOf([
            ["value", of],
            ["dataType", '"u8ab"'],
          ]),
        ),
      },
      { weight: 1, arbitrary: tie("value") },
    ),
    bytes: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      {
        weight: 3,
        arbitrary: fc
          .array(fc.oneof(atom, tie("digits"), tie("value")), { maxLength: 4 })
          .map((items) => `[${items.join()}]`),
      },
      { weight: 1, arbitrary: atom },
      { weight: 2, arbitrary: tie("value") },
    ),
    typed: fc.oneof(
      fc.tuple(tie("digits"), fc.boolean()).map(([of, isReversed]) =>
        inEitherOrder(
          [
            ["dataType", '"bi"'],
            ["value", of],
          ],
          isReversed,
        ),
      ),
      fc
        .tuple(fc.constantFrom(...dataTypes), fc.oneof(atom, tie("value")), fc.boolean())
        .map(([type, of, isReversed]) =>
          inEitherOrder(
            [
              ["dataType", type === '"bi"' ? '"bb"' : type],
              ["value", of],
            ],
            isReversed,
          ),
        ),
      fc.tuple(tie("bytes"), fc.boolean()).map(([of, isReversed]) =>
        inEitherOrder(
          [
            ["type", '"Buffer"'],
            ["data", of],
          ],
          isReversed,
        ),
      ),
      // With one field too many, or a field under another name.
      fc
        .tuple(fc.constantFrom(...dataTypes), tie("value"), key, tie("value"))
        .map(([type, of, name, other]) =>
          objectOf([
            ["dataType", type],
            ["value", of],
            [name, other],
          ]),
        ),
      fc.tuple(tie("bytes"), key, tie("value")).map(([of, name, other]) =>
        objectOf([
          ["type", '"Buffer"'],
          ["data", of],
          [name, other],
        ]),
      ),
    ),
  }),
);

export const nestedJson: fc.Arbitrary<string> = value;
