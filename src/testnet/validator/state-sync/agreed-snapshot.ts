/**
 * What the validators of a network agreed on about a snapshot, from the answer of a server that may lie. The snapshot's
 * digest, which the operator gives, is the hash of its cycle, its timestamp, its network hash and the hash of each
 * partition (FORMAT.md, Export data): an answer with another digest is false.
 */

import { exportDataDigest } from "../../../format/export-data.ts";
import { nodesMax } from "../../../limits/network.ts";
import { asCycle, asPartition, type Cycle, type HashHex, type Partition } from "../../../protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../../protocol/crypto/hash.ts";
import { type CycleRecord, cycleMarker } from "../../../protocol/cycle-record.ts";
import { networkHash as hashOfNetwork } from "../../../protocol/partition-hash.ts";
import { allPartitions, makeShard, type Shard } from "../../../protocol/shard.ts";
import { parseCycleRecords } from "../../../wire/cycle-records.ts";
import { hex64 } from "../../../wire/hex.ts";
import { parseAs, WireError } from "../../../wire/parse.ts";
import * as z from "../../../wire/schema.ts";
import { ServerError } from "./server-error.ts";

export interface AgreedSnapshot {
  /** The end of the cycle, in milliseconds. */
  readonly timestamp: number;
  readonly cycle: Cycle;
  /** The borders of its partitions: as many as the network had nodes. */
  readonly shard: Shard;
  readonly partitionHashes: ReadonlyMap<Partition, HashHex>;
}

const count = z.int("expected a whole number").nonnegative("expected a whole number");

const answer = z.object({
  snapshotCycle: count.transform(asCycle),
  timestamp: count,
  numPartitions: count.min(1, "expected at least one partition").max(nodesMax, "expected fewer partitions"),
  networkHash: hex64,
  partitionHashes: z.record(z.string().regex(/^(-1|\d{1,5})$/, "expected a partition"), hex64),
  cycleInfo: z.array(z.unknown()),
});

/**
 * Checks the answer to `GET /snapshot-cycles`.
 *
 * @throws ServerError `false` if it does not have the digest
 */
export function agreedSnapshotOf(received: unknown, digest: string, source: string): AgreedSnapshot {
  const { snapshotCycle: cycle, timestamp, numPartitions, networkHash, ...rest } = parsed(received, source);
  const partitionHashes = new Map(
    Object.entries(rest.partitionHashes).map(([partition, hash]) => [asPartition(Number(partition)), hash]),
  );
  const data = { timestamp, cycle, networkHash, hashKey: DEFAULT_HASH_KEY, partitionHashes };
  const computed = exportDataDigest(data);
  if (computed !== digest) {
    throw new ServerError("false", `/snapshot-cycles: its digest is ${computed}, expected ${digest}`);
  }
  // The publisher's snapshot has the digest: these hold unless the digest is not that of a snapshot.
  const shard = makeShard({ numNodes: numPartitions });
  const hasEach = allPartitions(shard).every((partition) => partitionHashes.has(partition));
  if (!hasEach || partitionHashes.size !== numPartitions + 1) {
    throw new ServerError("false", `/snapshot-cycles: not one hash for each of ${numPartitions} partitions`);
  }
  if (hashOfNetwork(partitionHashes) !== networkHash) {
    throw new ServerError("false", "/snapshot-cycles: the network hash is not that of the partitions");
  }
  return { timestamp, cycle, shard, partitionHashes };
}

function parsed(received: unknown, source: string): z.output<typeof answer> {
  try {
    return parseAs(answer, received, source);
  } catch (error) {
    if (error instanceof WireError) throw new ServerError("false", error.message, { cause: error });
    throw error;
  }
}

/**
 * Returns the record of the cycle after the snapshot's from the same answer. The digest does not cover it: it only has to
 * be the hash of itself, and to begin at the snapshot's moment.
 *
 * @throws ServerError `false` if there is no such record
 */
export function recordAfter(
  { cycle, timestamp }: AgreedSnapshot,
  received: unknown,
  source: string,
): CycleRecord {
  const { cycleInfo } = parsed(received, source);
  const { records } = parseCycleRecords({ cycleInfo }, source);
  const next = records.find(({ counter }) => counter === cycle + 1);
  if (next !== undefined && next.start * 1000 === timestamp && next.marker === cycleMarker(next.received)) {
    return next;
  }
  throw new ServerError("false", `/snapshot-cycles: no valid record of cycle ${cycle + 1}`);
}
