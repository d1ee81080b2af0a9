/** A published snapshot for mirrors, and runs that must publish the same one, whatever validators and mirrors do. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import type { AssembleResult } from "../../../src/app/assemble.ts";
import type { AssembleOptions } from "../../../src/app/assembly/options.ts";
import type { PartitionSource } from "../../../src/events/assemble-events.ts";
import { hashText } from "../../../src/protocol/crypto/hash.ts";
import { type Cluster, startCluster } from "../../../src/testnet/cluster/cluster.ts";
import { makeTemporaryDirectory, removeDirectory } from "../../helpers/temporary.ts";
import { smallFixture, withCluster } from "../../testnet/cluster/small-cluster.ts";
import { assembleFrom, comparedFiles, failureOf } from "../run.ts";

/** Partitions of about 200 KB. */
const state = { accounts: 200, accountBytes: 5000 };

/** The validators have dropped the snapshot, and their gossip. */
const gone = ["*:gone", "*:no-gossip"];

/** Longer than any pause of a busy machine. */
export const stallTimeoutMs = 30_000;

export interface MirroredState {
  /** The run whose snapshot mirrors have. */
  readonly plain: AssembleResult;
  /** Where its snapshot is. */
  readonly plainRoot: string;
  /** A hash database in which every validator has a bad record: mirrors are requested before them. */
  readonly mirrorsFirst: string;
  /** Where the same snapshot is, with compressed artifacts. */
  readonly compressedRoot: string;
  /** Assembles from validators that have dropped the snapshot and their gossip, which the hash database has. */
  readonly assembleGone: (options: Partial<AssembleOptions>) => Promise<AssembleResult>;
  /**
   * Assembles the snapshot, which must be the same byte for byte as that of the validators.
   *
   * @param faults those of the validators, if they have not dropped the snapshot
   */
  readonly assembleSame: (
    options: Partial<AssembleOptions>,
    faults?: readonly string[],
  ) => Promise<AssembleResult>;
}

/** Publishes a snapshot before the tests of a file, and removes it after them. */
export function mirroredState(): MirroredState {
  const root = makeTemporaryDirectory();
  const plainRoot = join(root, "plain");
  const compressedRoot = join(root, "compressed");
  const hashDb = join(root, "hashes.sqlite");
  const mirrorsFirst = join(root, "bad-records.sqlite");
  let plain: AssembleResult | undefined;
  let goneCluster: Cluster | undefined;

  beforeAll(async () => {
    await withCluster(state, async (cluster) => {
      plain = await assembleFrom(cluster, { out: plainRoot, hashDb });
      await assembleFrom(cluster, { out: compressedRoot, compression: "gzip" });
    });
    await withCluster({ ...state, faults: ["*:redirect"] }, (cluster) =>
      failureOf(assembleFrom(cluster, { out: join(root, "redirected"), hashDb: mirrorsFirst })),
    );
    goneCluster = await startCluster(smallFixture({ ...state, faults: gone }));
  });
  afterAll(async () => {
    await goneCluster?.stop();
    removeDirectory(root);
  });

  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the tests have not begun");
    return value;
  };
  const assembleGone = (options: Partial<AssembleOptions>) =>
    assembleFrom(started(goneCluster), { hashDb, stallTimeoutMs, ...options });
  return {
    get plain() {
      return started(plain);
    },
    plainRoot,
    compressedRoot,
    mirrorsFirst,
    assembleGone,
    assembleSame: async (options, faults) => {
      const result =
        faults === undefined
          ? await assembleGone(options)
          : await withCluster({ ...state, faults }, (cluster) =>
              assembleFrom(cluster, { hashDb, stallTimeoutMs, ...options }),
            );
      expect(hashesOf(result.directory)).toEqual(hashesOf(started(plain).directory));
      return result;
    },
  };
}

/** File → hash: buffers are slow to compare. */
function hashesOf(directory: string): Map<string, string> {
  return new Map([...comparedFiles(directory)].map(([file, bytes]) => [file, hashText(bytes)]));
}

/** The sources of the partitions, in their order, that run.json has. */
export function sourcesOf({ directory }: AssembleResult): PartitionSource[] {
  const { partitions } = JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
  return partitions.map(({ source }: { source: PartitionSource }) => source);
}

/** Whether a path is that of an artifact. */
export function isArtifact(path: string): boolean {
  return /partition-.*\.json/.test(path);
}
