/** Any older state, any newer one, any two numbers of partitions: what a seed and a delta give. */

import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settleMs } from "../../src/limits/seed.ts";
import { accountCopyText, type WrappedData } from "../../src/protocol/account-copy.ts";
import type { Partition } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { makeShard, partitionRange, ringPartitions, type Shard } from "../../src/protocol/shard.ts";
import { mergeLists } from "../../src/seed/merge-lists.ts";
import { changedSince, filesOf, type Seed } from "../../src/seed/seed.ts";
import { byId, makeAccount } from "../helpers/accounts.ts";
import { seeded } from "../helpers/seeded.ts";
import { makeTemporaryDirectory, removeDirectory } from "../helpers/temporary.ts";

const olderMs = 1_700_000_000_000;
const newerMs = olderMs + 600_000;

type Fate = "kept" | "changed" | "created" | "deleted" | "changed long before";

interface AccountSpec {
  readonly prefix: number;
  readonly fate: Fate;
  /** When it last changed before the older moment, and when it changed after it. */
  readonly ages: readonly [number, number];
}

const specs: fc.Arbitrary<AccountSpec[]> = fc.uniqueArray(
  fc.record({
    prefix: fc.nat({ max: 2 ** 32 - 1 }),
    fate: fc.oneof(
      { weight: 20, arbitrary: fc.constant<Fate>("kept") },
      { weight: 6, arbitrary: fc.constantFrom<Fate>("changed", "created") },
      { weight: 1, arbitrary: fc.constantFrom<Fate>("deleted", "changed long before") },
    ),
    ages: fc.tuple(fc.nat({ max: 2 * settleMs }), fc.integer({ min: -settleMs, max: newerMs - olderMs })),
  }),
  { selector: ({ prefix }) => prefix, minLength: 20, maxLength: 120, size: "max" },
);

const counts = fc.integer({ min: 1, max: 30 });

/** Returns an account of the older and of the newer state. */
function versionsOf({ prefix, fate, ages }: AccountSpec): {
  before?: WrappedData;
  after?: WrappedData;
} {
  const id = prefix.toString(16).padStart(8, "0").padEnd(64, "3");
  const before = { ...makeAccount(id), timestamp: olderMs - settleMs - ages[0] };
  const after = { ...makeAccount(id), data: { changed: true }, timestamp: olderMs + ages[1] };
  switch (fate) {
    case "kept":
      return { before, after: before };
    case "changed":
      return { before, after };
    case "created":
      return { after };
    case "deleted":
      return { before };
    case "changed long before":
      return { before, after: { ...after, timestamp: changedSince({ timestamp: olderMs }) - 1 - ages[0] } };
  }
}

function listOf(accounts: readonly WrappedData[]): string {
  return `[${accounts.toSorted(byId).map(accountCopyText).join(",")}]`;
}

const within = (shard: Shard, partition: Partition, accounts: readonly WrappedData[]) => {
  const { low, high } = partitionRange(shard, partition);
  return accounts.filter(({ accountId }) => low <= accountId && accountId <= high);
};

function seedIn(directory: string, shard: Shard, accounts: readonly WrappedData[]): Seed {
  const lists = ringPartitions(shard).map((partition) => {
    const path = join(directory, `older-${partition}`);
    const text = listOf(within(shard, partition, accounts));
    writeFileSync(path, text);
    const file = { path, compression: "none" as const, ...partitionRange(shard, partition) };
    return { file, hash: hashText(text) };
  });
  return { name: "seed", timestamp: olderMs, lacks: "nothing", lists, global: undefined };
}

describe("a seed with the changes since", () => {
  it("is the newer state byte for byte, unless accounts were deleted or are dated too early", async () => {
    let rejected = 0;
    let completed = 0;
    const property = fc.asyncProperty(specs, counts, counts, async (accounts, olderNodes, newerNodes) => {
      const directory = makeTemporaryDirectory();
      const states = accounts.map((spec) => ({ ...versionsOf(spec), fate: spec.fate }));
      const before = states.flatMap(({ before: account }) => account ?? []);
      const seed = seedIn(directory, makeShard({ numNodes: olderNodes }), before);
      const shard = makeShard({ numNodes: newerNodes });
      for (const partition of ringPartitions(shard)) {
        const isIn = (account: WrappedData | undefined) =>
          account !== undefined && within(shard, partition, [account]).length > 0;
        const own = states.filter(({ before: old, after }) => isIn(old ?? after));
        const after = own.flatMap(({ after: account }) => account ?? []);
        const delta = after.filter(({ timestamp }) => timestamp >= changedSince(seed));
        const received = join(directory, `delta-${partition}`);
        writeFileSync(received, listOf(delta));
        const path = join(directory, `newer-${partition}`);
        const base = filesOf(seed, shard, partition) ?? [];
        const order = { base, received, path, hashKey: DEFAULT_HASH_KEY, timestamp: newerMs };
        const { hash } = await mergeLists(order);
        const agreed = hashText(listOf(after));
        const isLost = own.some(({ fate }) => fate === "deleted" || fate === "changed long before");
        expect(hash === agreed).toBe(!isLost);
        if (isLost) rejected++;
        else {
          expect(await readFile(path, "utf8")).toBe(listOf(after));
          completed++;
        }
      }
      removeDirectory(directory);
    });
    await fc.assert(property, seeded(30));
    expect(rejected).toBeGreaterThan(30);
    expect(completed).toBeGreaterThan(300);
  });
});
