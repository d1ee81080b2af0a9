/**
 * Ends the partitions of a response. A partition is committed if its accounts have the agreed hash, alone or together
 * with the base that they were to complete.
 */

import { rm } from "node:fs/promises";
import type { MismatchedPartition } from "../events/sync-events.ts";
import type { HashHex, Partition } from "../protocol/brands.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../protocol/partition-hash.ts";
import type { IncomingPartition } from "./incoming-partition.ts";
import type {
  BaseSource,
  MatchedPartition,
  PartitionBase,
  ResponseReceiver,
  UnfitBase,
} from "./response-report.ts";

export interface CompletionOrder {
  readonly base: readonly BaseSource[];
  /** A file with the response's accounts; `undefined` if it had none. */
  readonly received: string | undefined;
  /** The file to write. */
  readonly path: string;
}

export type Completion =
  | ({ readonly kind: "completed"; readonly hash: HashHex } & Omit<MatchedPartition, "partition" | "path">)
  /** The base cannot be read, or is not a list of accounts. */
  | { readonly kind: "unusable"; readonly reason: string };

export interface EndingPlace {
  readonly hashKey: string;
  /** Where a partition of the response is written while it is received. */
  readonly pathOf: (partition: Partition) => string;
  /**
   * Writes the sorted union of a base and of a response's accounts.
   *
   * @throws SnapshotError `disk`
   */
  readonly complete: (order: CompletionOrder) => Promise<Completion>;
}

/** What a partition of a response is compared with. */
interface Claim {
  readonly partition: Partition;
  readonly expected: HashHex;
  readonly base: PartitionBase;
}

interface ReceivedFile {
  readonly path: string;
  readonly discard: () => Promise<void>;
}

/**
 * How much of a partition a response has given. `whole`: it has ended as it should, or the partition has the agreed
 * hash. `left`: it broke off later, in another partition. `cut-off`: it broke off in this one.
 */
export type Extent = "whole" | "left" | "cut-off";

export class PartitionEndings {
  readonly #receiver: ResponseReceiver;
  readonly #place: EndingPlace;
  /** Bases that are being completed, in threads of their own. */
  readonly #completing: Promise<void>[] = [];
  readonly mismatched: MismatchedPartition[] = [];
  readonly unfitBases: UnfitBase[] = [];

  constructor(receiver: ResponseReceiver, place: EndingPlace) {
    this.#receiver = receiver;
    this.#place = place;
  }

  /**
   * Ends a partition: commits it, completes its base with it, or removes it.
   *
   * @returns whether it was committed, and how many repetitions its sort dropped
   */
  async end(open: IncomingPartition, extent: Extent): Promise<{ isTaken: boolean; duplicates: number }> {
    const { partition } = open;
    const expected = this.#receiver.expected(partition);
    const base = this.#receiver.base(partition);
    const isOfUse =
      expected !== undefined &&
      (extent === "whole" || (extent === "left" && base !== undefined) || (await open.matches(expected)));
    if (!isOfUse) {
      await open.discard();
      return { isTaken: false, duplicates: 0 };
    }
    const finished = await open.finish();
    const { hash, accounts, bytes, path, duplicates, conflict } = finished;
    const isTaken = hash === expected;
    if (isTaken) await this.#receiver.commit({ partition, accounts, bytes, baseBytes: 0, path });
    else if (base !== undefined && conflict === undefined)
      this.#complete({ partition, expected, base }, { path, discard: () => open.discard() }, extent);
    else {
      if (extent === "whole" && (base !== undefined || !this.#receiver.isDelta))
        this.mismatched.push({ partition, expected, got: hash, accounts, conflict });
      await open.discard();
    }
    return { isTaken, duplicates };
  }

  /** Ends a requested partition of which a complete response had no account. */
  endWithoutAccounts(partition: Partition): void {
    const expected = this.#receiver.expected(partition);
    if (expected === undefined) return;
    const base = this.#receiver.base(partition);
    if (base !== undefined) this.#complete({ partition, expected, base }, undefined, "whole");
    else {
      const got = hashText(EMPTY_PREIMAGE, this.#place.hashKey);
      this.mismatched.push({ partition, expected, got, accounts: 0, conflict: undefined });
    }
  }

  /** Waits until each base is completed, or was found not to fit. Throws the first error. */
  async settled(): Promise<void> {
    for (const result of await Promise.allSettled(this.#completing.splice(0)))
      if (result.status === "rejected") throw result.reason;
  }

  #complete(claim: Claim, received: ReceivedFile | undefined, extent: Extent): void {
    const path = `${this.#place.pathOf(claim.partition)}.completed`;
    const completing = this.#completeBase(claim, path, received?.path, extent).finally(() =>
      Promise.all([received?.discard(), rm(path, { force: true })]),
    );
    completing.catch(() => undefined); // thrown by settled()
    this.#completing.push(completing);
  }

  async #completeBase(
    { partition, expected, base }: Claim,
    path: string,
    received: string | undefined,
    extent: Extent,
  ): Promise<void> {
    const completion = await this.#place.complete({ base: base.files, received, path });
    if (completion.kind === "unusable") {
      this.unfitBases.push({ partition, reason: completion.reason });
      return;
    }
    const { hash, accounts, bytes, baseBytes } = completion;
    if (hash === expected) await this.#receiver.commit({ partition, accounts, bytes, baseBytes, path });
    else if (extent === "whole" && base.isOfPeer)
      this.mismatched.push({ partition, expected, got: hash, accounts, conflict: undefined });
    else if (extent === "whole")
      this.unfitBases.push({ partition, reason: `expected ${expected}, got ${hash} with the base` });
  }
}
