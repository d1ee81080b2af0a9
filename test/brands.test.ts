/** Brands are made in `wire/` and `protocol/` alone: a planted cast anywhere else is found. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const brands = [
  "Partition",
  "NodeIndex",
  "MirrorIndex",
  "Cycle",
  "NodeId",
  "MirrorUrl",
  "PublicKey",
  "HashHex",
];
const sources = fileURLToPath(new URL("../src", import.meta.url));
const makers = /^(protocol|wire)\//;

const name = `(?:${brands.join("|")})`;
/** `x as Partition`, `x as readonly Partition[]`, `x as Map<Partition, HashHex>`, `x as { cycle: Cycle }`, `<Cycle>x`. */
const forms = [
  new RegExp(`\\bas\\s+(?!const\\b)[^;=()]*?\\b${name}\\b`),
  new RegExp(`(?<![\\w)\\]])<\\s*${name}(?:\\[\\])?\\s*>\\s*[\\w([{]`),
  /** Casts that hide what they make. */
  /\bas\s+(?:never|any)\b/,
  /** A guard, an assertion, or a schema of its own. */
  new RegExp(`\\bis\\s+(?:readonly\\s+)?${name}\\b`),
  new RegExp(`\\bz\\.custom<[^(]*\\b${name}\\b`),
  new RegExp(`\\b(?:type|interface)\\s+${name}\\b`),
];

/** The lines of a file outside of wire and protocol that make a brand, as `path:line`. */
function violations(path: string, text: string): string[] {
  if (makers.test(path)) return [];
  return text.split("\n").flatMap((line, index) => {
    const isImport = /^\s*(?:import|export)\b.*\bfrom\b|^\s*type \w+,$|^\s*(?:\/\*\*|\*|\/\/)/.test(line);
    return !isImport && forms.some((form) => form.test(line)) ? [`${path}:${index + 1}`] : [];
  });
}

const planted = [
  "const partition = 3 as Partition;",
  "const peers = order as NodeIndex[];",
  "const peers = order as readonly NodeIndex[];",
  "const hashes = found as Map<Partition, HashHex>;",
  "const hashes = found as unknown as ReadonlyMap<number, HashHex>;",
  "const row = rows[0] as { readonly cycle: Cycle };",
  "return JSON.parse(text) as { sender: NodeId };",
  "const key = <PublicKey>text;",
  "call(3 as never);",
  "function isCycle(value: unknown): value is Cycle {",
  "isMirror(index: PeerIndex): index is MirrorIndex {",
  "const mirror = url as MirrorUrl;",
  "const sender = z.custom<NodeId>(isText);",
  "type Cycle = number;",
];

const harmless = [
  'import { asPartition, type Partition } from "../protocol/brands.ts";',
  "  type NodeId,",
  "const partition = asPartition(3);",
  "const hashes = new Map<Partition, HashHex>();",
  "const size = (partition: Partition) => sizes.get(partition) ?? 0;",
  "function first(order: readonly NodeIndex[]): NodeIndex | undefined {",
  "const kinds = [1, 2] as const;",
  " * the same as Partition of another network",
];

describe("a cast to a brand", () => {
  it.each(planted)("is found outside of wire and protocol, at every depth: %s", (line) => {
    for (const folder of ["sync", "store/one", "agreement/one/two", "testnet/one/two/three", "app"]) {
      expect(violations(`${folder}/x.ts`, `\n${line}`)).toEqual([`${folder}/x.ts:2`]);
    }
  });

  it.each(planted)("is permitted in wire and protocol: %s", (line) => {
    expect([violations("wire/x.ts", line), violations("protocol/crypto/x.ts", line)]).toEqual([[], []]);
  });

  it.each(harmless)("is not mistaken for what makes no brand: %s", (line) => {
    expect(violations("sync/x.ts", line)).toEqual([]);
  });

  it("is in no source", () => {
    const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".ts"),
    );
    expect(files.length).toBeGreaterThan(300);
    expect(files.flatMap((file) => violations(file, readFileSync(join(sources, file), "utf8")))).toEqual([]);
  });
});
