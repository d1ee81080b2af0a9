/** Canonical text equals that of the network's own code on the fast path and the slow path, and both reject the same. */

import fc from "fast-check";
import { expect } from "vitest";
import { copiesOf, networkCopiesOf } from "../../canonical/data-copies.ts";
import { nestedJson } from "../../protocol/nested-json.ts";
import { networkText } from "../../protocol/network-text.ts";
import { ownText } from "../../protocol/own-text.ts";
import { textOf, wireJson } from "../../protocol/wire-json.ts";
import { fuzzTarget } from "../fuzz-target.ts";

const json = fc.oneof(
  nestedJson,
  wireJson.map((value) => textOf(value)),
);

export const canonicalTargets = [
  fuzzTarget("canonical text", json, (text) => {
    const canonical = ownText(text);
    expect(canonical).toBe(networkText(text));
    if (canonical !== undefined) expect(ownText(canonical)).toBe(networkText(canonical));
  }),
  fuzzTarget("account copies", json, (data) => {
    expect(copiesOf(data)).toEqual(networkCopiesOf(data));
  }),
];
