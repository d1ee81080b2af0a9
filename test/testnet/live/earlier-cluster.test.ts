/** What a restarted network takes over from the directory of the one before. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { asCycle } from "../../../src/protocol/brands.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { type ChainedRecord, chainedRecord } from "../../../src/testnet/cluster/cycle-records.ts";
import { EarlierCluster } from "../../../src/testnet/live/restart/earlier-cluster.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";

const agreed = {
  timestamp: 3_000,
  cycle: asCycle(2),
  shard: makeShard({ numNodes: 1 }),
  partitionHashes: new Map(),
};

const transfer = (timestamp: number) =>
  ({ type: "transfer", timestamp, from: "a".repeat(64), to: "b".repeat(64), amount: "1" }) as const;
const end = (cycle: number, timestamp = (cycle + 1) * 1000) => ({
  type: "cycle-end",
  cycle,
  timestamp,
  snapshot: false,
});

const log = [
  { type: "start", start: 0, duration: 1 },
  ...[transfer(100), end(0), transfer(1_100), end(1), transfer(2_100), end(2)],
  ...[{ type: "node-removed", cycle: 3, id: "c".repeat(64) }, transfer(3_000), end(3), transfer(4_100)],
];

const identity = { seed: "earlier", cycleDuration: 1, activeNodes: 1 };
function recordsUntil(newest: number) {
  const records: ChainedRecord[] = [];
  for (let counter = 0; counter <= newest; counter++) {
    const content = { counter: asCycle(counter), start: counter, networkDataHash: [], isMarked: false };
    records.push(chainedRecord(identity, records.at(-1)?.marker, content));
  }
  return records;
}

/** The directory of a cluster that was killed while it appended `rest`. */
function directoryWith(entries: readonly object[], records: readonly object[], rest = ""): string {
  const directory = temporaryDirectory();
  const lines = (list: readonly object[]) => list.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  writeFileSync(join(directory, "transactions.jsonl"), lines(entries) + rest);
  writeFileSync(join(directory, "cycles.jsonl"), lines(records) + rest);
  return directory;
}

it.each(["", '{"type":"tran', JSON.stringify(transfer(4_200))])(
  "the transactions after the end of the snapshot's cycle follow it, but for a line that was not completed: %s",
  async (rest) => {
    const records = recordsUntil(4);
    const earlier = await EarlierCluster.open(directoryWith(log, records, rest), agreed);
    const transactions = [];
    for await (const transaction of earlier.transactions()) transactions.push(transaction);
    expect(transactions).toEqual([transfer(3_000), transfer(4_100)]);
    expect(earlier.newest).toEqual({ cycle: 4, marker: records.at(-1)?.marker });
  },
);

it.each([
  {
    id: "of another moment",
    entries: log.map((entry) =>
      "cycle" in entry && entry.type === "cycle-end" ? { ...entry, timestamp: 9 } : entry,
    ),
    says: "does not contain the end of cycle 2 at 3000",
  },
  { id: "that ended before", entries: log.slice(0, 4), says: "does not contain the end of cycle 2 at 3000" },
  { id: "with a damaged log", entries: [{ type: "transfer" }, ...log], says: "timestamp" },
])("the directory of a network $id is refused", async ({ entries, says }) => {
  const opened = EarlierCluster.open(directoryWith(entries, recordsUntil(4)), agreed);
  await expect(opened).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringContaining(says) as string,
  });
});

it.each([
  { id: "no record", records: [], says: "has no record" },
  {
    id: "a damaged record",
    records: recordsUntil(4).map((record) => ({ ...record, start: 77 })),
    says: "is damaged: its newest record is not valid",
  },
  {
    id: "no record after the snapshot's cycle",
    records: recordsUntil(2),
    says: "does not contain the end of cycle 2",
  },
])("a directory with $id is refused", async ({ records, says }) => {
  const opened = EarlierCluster.open(directoryWith(log, records), agreed);
  await expect(opened).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringContaining(says) as string,
  });
});

it("a directory without the files of a cluster is refused", async () => {
  await expect(EarlierCluster.open(temporaryDirectory(), agreed)).rejects.toMatchObject({
    code: "configuration",
  });
});
