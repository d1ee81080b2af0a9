/**
 * Fetches the state of a snapshot from servers that may lie or die. Everything is compared with the snapshot's digest,
 * which the operator gives, before it is used.
 */

import { Agent } from "undici";
import type { CycleRecord } from "../../../protocol/cycle-record.ts";
import { parseAs, WireError } from "../../../wire/parse.ts";
import * as z from "../../../wire/schema.ts";
import { serverBytesPerSecondMin, serverSilenceMs } from "../../limits.ts";
import { type AgreedSnapshot, agreedSnapshotOf, recordAfter } from "./agreed-snapshot.ts";
import { type CheckedPartition, checkedPartitions } from "./checked-partitions.ts";
import { type PartitionRun, rangeOf } from "./partition-runs.ts";
import { ServerError } from "./server-error.ts";
import { ServerPool, type ServerReport } from "./server-pool.ts";
import type { ReceiveLimits } from "./slow-body.ts";
import type { SnapshotServer } from "./snapshot-server.ts";

/** Which snapshot is wanted, and who may have it. Plain values, which a process receives as JSON. */
export interface WantedSnapshot {
  /** URLs without a slash at their end, in the order in which they are asked. */
  readonly servers: readonly string[];
  /** The snapshot's digest: the only thing that is trusted. */
  readonly digest: string;
}

export interface SyncOptions {
  readonly report: (report: ServerReport) => void;
  readonly signal?: AbortSignal | undefined;
  readonly limits?: ReceiveLimits;
  readonly pauseMs?: number;
}

const defaultLimits: ReceiveLimits = {
  silenceMs: serverSilenceMs,
  bytesPerSecondMin: serverBytesPerSecondMin,
};

const list = z.object({
  snapshots: z.array(z.object({ digest: z.string(), timestamp: z.int().nonnegative() })),
});

export class SnapshotSync {
  readonly #wanted: WantedSnapshot;
  readonly #agent = new Agent();
  readonly #pool: ServerPool;

  constructor(wanted: WantedSnapshot, { report, signal, limits = defaultLimits, pauseMs }: SyncOptions) {
    this.#wanted = wanted;
    this.#pool = new ServerPool(wanted.servers, {
      connection: { agent: this.#agent, limits, signal },
      report,
      ...(pauseMs === undefined ? {} : { pauseMs }),
    });
  }

  /** @throws SnapshotError `incomplete` when no server is left */
  async agreed(): Promise<AgreedSnapshot> {
    return await this.#pool.use(async (server) => (await this.#cyclesOf(server)).agreed);
  }

  /**
   * Returns the record of the cycle after the snapshot's, which the digest does not cover.
   *
   * @throws SnapshotError `incomplete` when no server is left
   */
  async recordAfter(): Promise<CycleRecord> {
    return await this.#pool.use(async (server) => {
      const { agreed, received } = await this.#cyclesOf(server);
      return recordAfter(agreed, received, server.url);
    });
  }

  /**
   * Yields the partitions of a run, each when it has its agreed hash. A server that fails in the middle is followed by
   * another one, from the first partition on that is missing.
   *
   * @throws SnapshotError `incomplete` when no server is left
   */
  async *partitions(run: PartitionRun, agreed: AgreedSnapshot): AsyncGenerator<CheckedPartition, void, void> {
    let missing: PartitionRun = run;
    while (missing.length > 0) {
      const server = this.#pool.current();
      const accounts = server.snapshotData(agreed.timestamp, rangeOf(missing, agreed.shard));
      try {
        for await (const checked of checkedPartitions(accounts, missing, agreed)) {
          missing = missing.slice(1);
          yield checked;
        }
      } catch (error) {
        await this.#pool.failed(server, error);
      }
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #cyclesOf(server: SnapshotServer): Promise<{ agreed: AgreedSnapshot; received: unknown }> {
    const { digest } = this.#wanted;
    const timestamp = timestampIn(await server.snapshots(), digest, server.url);
    const received = await server.snapshotCycles(timestamp);
    return { agreed: agreedSnapshotOf(received, digest, server.url), received };
  }
}

/** Returns the moment of a snapshot, as a server lists it. The digest of what it answers about that moment decides. */
function timestampIn(received: unknown, digest: string, source: string): number {
  try {
    const { snapshots } = parseAs(list, received, source);
    const found = snapshots.find((snapshot) => snapshot.digest === digest);
    if (found !== undefined) return found.timestamp;
  } catch (error) {
    if (error instanceof WireError) throw new ServerError("false", error.message, { cause: error });
    throw error;
  }
  throw new ServerError("failed", `it does not serve the snapshot with the digest ${digest}`);
}
