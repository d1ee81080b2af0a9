import fc from "fast-check";
import { expect, it } from "vitest";
import { accountCopyBytes, accountCopyText } from "../../src/protocol/account-copy.ts";
import { seeded } from "../helpers/seeded.ts";

const account = { accountId: "0f".repeat(32), stateId: 'a"b', timestamp: 12 };

it("the bytes of a copy are its text in UTF-8, wherever its pieces end", () => {
  // Characters around the end of the first piece, surrogate pairs included.
  const text = fc
    .tuple(
      fc.integer({ min: 64 * 1024 - 12, max: 64 * 1024 }),
      fc.string({ unit: fc.constantFrom("x", "😀", "\ud800", "\udc00", '"', "\u0000"), maxLength: 12 }),
      fc.constantFrom(0, 70_000),
    )
    .map(([length, middle, rest]) => "y".repeat(length) + middle + "z".repeat(rest));
  const property = fc.property(fc.oneof(text, fc.string()), fc.boolean(), (content, isText) => {
    const data = isText ? content : { content };
    const copy = { ...account, data };
    expect(accountCopyBytes(copy).toString("utf8")).toBe(Buffer.from(accountCopyText(copy)).toString("utf8"));
  });
  fc.assert(property, seeded(300));
});
