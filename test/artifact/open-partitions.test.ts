import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OpenPartitions } from "../../src/artifact/open-partitions.ts";
import { PendingBytes } from "../../src/artifact/pending-bytes.ts";
import { singleRun } from "../../src/canonical/copy-run.ts";
import { pendingBytesMax, writeBufferBytes } from "../../src/limits/disk.ts";
import { accountCopyBytes } from "../../src/protocol/account-copy.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { makeShard } from "../../src/protocol/shard.ts";
import { makeAccounts } from "../helpers/accounts.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const [account] = makeAccounts(makeShard({ numNodes: 1 }), { perPartition: 1, globals: 0, padding: 200_000 });
if (account === undefined) throw new Error("no account was made");
const run = singleRun(asPartition(0), accountCopyBytes(account));

/** Opens partitions that hold one account each, until they must be written. */
function openUntilWritten(partitions: OpenPartitions, directory: string) {
  for (let partition = 0; ; partition++) {
    const open = partitions.open(
      asPartition(partition),
      join(directory, String(partition)),
      DEFAULT_HASH_KEY,
    );
    partitions.add(open, run);
    if (partitions.mustWrite(open)) return open;
  }
}

describe("the open partitions of a response", () => {
  it("are all written once their buffers together hold more than may be pending", async () => {
    const directory = temporaryDirectory();
    const partitions = new OpenPartitions();
    const last = openUntilWritten(partitions, directory);
    expect(run.bytes.length).toBeLessThan(writeBufferBytes);
    expect(partitions.heldBytes).toBeGreaterThan(pendingBytesMax);
    expect(partitions.heldBytes - last.bytes).toBeLessThanOrEqual(pendingBytesMax);
    await partitions.write(last, undefined);
    for (const open of partitions.all()) {
      expect(statSync(join(directory, String(open.partition))).size).toBe(open.bytes);
    }
    expect(partitions.mustWrite(last)).toBe(false);
    await partitions.discardAll();
  });

  it("leave the budget when they are discarded", async () => {
    const directory = temporaryDirectory();
    const partitions = new OpenPartitions();
    const last = openUntilWritten(partitions, directory);
    for (const open of partitions.all()) await open.discard();
    expect(partitions.mustWrite(last)).toBe(false);
  });
});

it("pending bytes cannot be removed twice", () => {
  const pending = new PendingBytes();
  pending.add(2);
  pending.remove(2);
  expect(() => pending.remove(1)).toThrow("more bytes were written than were pending");
});
