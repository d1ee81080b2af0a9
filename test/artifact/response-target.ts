/** A receiver of a response that records what it is given. */

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { receiveResponse } from "../../src/artifact/receive-response.ts";
import type { ResponsePlace } from "../../src/artifact/response-merger.ts";
import type {
  MatchedPartition,
  PartitionBase,
  ResponseReceiver,
  ResponseReport,
} from "../../src/artifact/response-report.ts";
import type { WrappedData } from "../../src/protocol/account-copy.ts";
import { asNodeIndex } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { partitionHashes } from "../../src/protocol/partition-hash.ts";
import { GLOBAL_PARTITION, type Shard, stores } from "../../src/protocol/shard.ts";
import { mergeLists } from "../../src/seed/merge-lists.ts";
import { asPartitions } from "../helpers/brands.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

export interface TargetSettings {
  readonly shard: Shard;
  /** The true state, from which the agreed hashes are computed. */
  readonly truth: readonly WrappedData[];
  readonly nodeIndex: number;
  readonly requested: readonly number[];
  /** Partitions that this response must not give. */
  readonly unexpected?: readonly number[];
  readonly hashKey?: string;
  readonly bytesMax?: number;
  readonly isDelta?: boolean;
  readonly bases?: ReadonlyMap<number, PartitionBase>;
}

export interface RecordingTarget extends ResponseReceiver {
  readonly place: ResponsePlace;
  /** The committed partitions, with their preimages. */
  readonly taken: ReadonlyMap<number, MatchedPartition & { readonly text: string }>;
  readonly hashes: ReadonlyMap<number, string>;
  readonly directory: string;
  /** Files that are neither committed nor removed. */
  leftOver(): string[];
}

export function makeTarget(settings: TargetSettings): RecordingTarget {
  const { shard, truth, nodeIndex, hashKey = DEFAULT_HASH_KEY, bytesMax = Infinity } = settings;
  const directory = temporaryDirectory();
  const hashes = partitionHashes(truth, shard, hashKey);
  const taken = new Map<number, MatchedPartition & { text: string }>();
  return {
    place: {
      shard,
      hashKey,
      pathOf: (partition) => join(directory, `${partition}.json`),
      complete: async (order) => ({
        kind: "completed",
        ...(await mergeLists({ ...order, hashKey, timestamp: Number.MAX_SAFE_INTEGER })),
      }),
    },
    hashes,
    taken,
    directory,
    leftOver: () => readdirSync(directory),
    requested: new Set(asPartitions(settings.requested)),
    isDelta: settings.isDelta ?? false,
    base: (partition) => settings.bases?.get(partition),
    stores: (partition) => partition === GLOBAL_PARTITION || stores(shard, asNodeIndex(nodeIndex), partition),
    begin: () => undefined,
    expected: (partition) =>
      taken.has(partition) || settings.unexpected?.includes(partition) ? undefined : hashes.get(partition),
    commit: (matched) => {
      taken.set(matched.partition, { ...matched, text: readFileSync(matched.path, "utf8") });
      rmSync(matched.path);
      return Promise.resolve();
    },
    mayHold: (bytes) => Promise.resolve(bytes <= bytesMax),
  };
}

/** Receives a response against a recording target. */
export function receive(chunks: AsyncIterable<Buffer>, target: RecordingTarget): Promise<ResponseReport> {
  return receiveResponse(chunks, target, target.place);
}
