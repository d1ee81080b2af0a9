/** Arbitrary JSON texts of the wire, with typed values, forbidden keys and white space. */

import fc from "fast-check";

/** JSON as a tree, so that the order of keys and the white space of its text can be chosen. */
export type WireJson =
  | { readonly kind: "atom"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly WireJson[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [string, WireJson])[] };

const atom = (value: unknown): WireJson => ({ kind: "atom", text: JSON.stringify(value) });
const object = (...entries: [string, WireJson][]): WireJson => ({ kind: "object", entries });
const list = (items: readonly WireJson[]): WireJson => ({ kind: "list", items });

/** Text with characters that JSON escapes, surrogate pairs, and lone surrogates. */
const text = fc.string({
  maxLength: 8,
  unit: fc.oneof(
    fc.string({ minLength: 1, maxLength: 1, unit: "binary" }),
    fc.constantFrom('"', "\\", "/", "\u0000", "\n", "é", "😀", "\ud800", "\udc00", "\u2028"),
  ),
});

/** Numbers in forms that JavaScript does not write. */
const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
  fc.constantFrom("-0", "0.10", "1.0", "1e2", "1E-7", "1e21", "1e400", "-1e400", "9007199254740993"),
);

const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF"), minLength: 1, maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 12 });
const base64 = fc.oneof(
  bytes.map((array) => Buffer.from(array).toString("base64")),
  bytes.map((array) => Buffer.from(array).toString("base64url")),
  fc.constantFrom("not base64!", "A", "AQ"),
);

const eitherOrder = ([first, second]: [[string, WireJson], [string, WireJson]], swap: boolean) =>
  swap ? object(second, first) : object(first, second);

function typed(dataType: string, value: fc.Arbitrary<WireJson>): fc.Arbitrary<WireJson> {
  return fc.tuple(value, fc.boolean()).map(([of, swap]) =>
    eitherOrder(
      [
        ["dataType", atom(dataType)],
        ["value", of],
      ],
      swap,
    ),
  );
}

const shortBytes = fc.oneof(typed("u8ab", base64.map(atom)), typed("bb", base64.map(atom)));

export const longBuffer: fc.Arbitrary<WireJson> = fc
  .tuple(
    fc.oneof(
      bytes.map((array) => list([...array].map(atom))),
      text.map(atom),
      shortBytes,
    ),
    fc.boolean(),
  )
  .map(([data, swap]) =>
    eitherOrder(
      [
        ["type", atom("Buffer")],
        ["data", data],
      ],
      swap,
    ),
  );

const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("a", "b", "A", "10", "9", "", "é", "😀", "\ud800", "value") },
  { weight: 2, arbitrary: fc.constantFrom("sig", "dataType", "__proto__", "constructor", "prototype") },
  { weight: 1, arbitrary: text.filter((name) => name !== "type") },
);

const { value } = fc.letrec<{ value: WireJson; items: WireJson[]; entries: [string, WireJson][] }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text.map(atom),
    numberText.map((written): WireJson => ({ kind: "atom", text: written })),
    fc.constantFrom(true, false, null).map(atom),
    typed("bi", fc.oneof(hex.map(atom), fc.nat().map(atom))),
    shortBytes,
    typed("u8ab", fc.constantFrom(7, null, true).map(atom)),
    typed("other", text.map(atom)),
    longBuffer,
    tie("items").map(list),
    tie("entries").map((entries) => object(...entries)),
  ),
  items: fc.array(tie("value"), { maxLength: 4 }),
  entries: fc.uniqueArray(fc.tuple(key, tie("value")), { maxLength: 5, selector: ([name]) => name }),
}));

/** Any JSON whose objects have distinct keys. */
export const wireJson: fc.Arbitrary<WireJson> = value;

/** Its text; `order` orders the keys of each object, and `space` is written between tokens. */
export function textOf(
  json: WireJson,
  order: <T>(entries: readonly T[]) => readonly T[] = (entries) => entries,
  space = "",
): string {
  switch (json.kind) {
    case "atom":
      return json.text;
    case "list":
      return `[${space}${json.items.map((item) => textOf(item, order, space)).join(`,${space}`)}]`;
    case "object": {
      const entries = order(json.entries).map(
        ([name, of]) => `${JSON.stringify(name)}${space}:${textOf(of, order, space)}`,
      );
      return `{${entries.join(`${space},`)}${space}}`;
    }
  }
}

/** The same JSON without long-form buffers directly under `sig`. */
export function withoutBuffersInSig(json: WireJson): WireJson {
  switch (json.kind) {
    case "atom":
      return json;
    case "list":
      return list(json.items.map(withoutBuffersInSig));
    case "object":
      return object(
        ...json.entries.map(([name, of]): [string, WireJson] => [
          name,
          name === "sig" && isLongBuffer(of) ? atom(null) : withoutBuffersInSig(of),
        ]),
      );
  }
}

function isLongBuffer(json: WireJson): boolean {
  return json.kind === "object" && json.entries.some(([name]) => name === "type");
}
