/** What a response is received against, and what came of it. */

import type { FetchError } from "../errors/fetch-error.ts";
import type { ResponseError } from "../errors/response-error.ts";
import type { MismatchedPartition } from "../events/sync-events.ts";

/** A partition of a response that has the agreed hash. */
export interface MatchedPartition {
  readonly partition: number;
  readonly accounts: number;
  readonly bytes: number;
  /** A file with the preimage, which is now the receiver's. */
  readonly path: string;
}

/** How a response ended. */
export type ResponseEnd =
  | { readonly kind: "complete" }
  | { readonly kind: "failed"; readonly error: FetchError | ResponseError };

export interface ResponseReport {
  readonly end: ResponseEnd;
  readonly accounts: number;
  /** The partition of the last account. */
  readonly lastPartition: number | undefined;
  readonly foreignAccounts: number;
  readonly duplicateAccounts: number;
  readonly mismatched: readonly MismatchedPartition[];
  /** Partitions that had the agreed hash, and then went on with more accounts. */
  readonly superfluous: readonly number[];
  /** Partitions that were given up for being too large so far: those that made up most of what was held. */
  readonly outgrown: readonly { readonly partition: number; readonly bytes: number }[];
}

/** The side of a response that knows what is wanted. Questions change nothing; commands answer nothing. */
export interface ResponseReceiver {
  /** What was requested: a complete response without accounts of one of these says that it is empty. */
  readonly requested: ReadonlySet<number>;
  /** Whether the peer should hold accounts of a partition at all. */
  stores(partition: number): boolean;
  /** The agreed hash of a partition; `undefined` where this response may not give it. */
  expected(partition: number): string | undefined;
  /** The response gives a partition, which was {@link expected}. */
  begin(partition: number): void;
  /**
   * Whether the response may go on while it holds so many bytes of partitions that are not known to be right.
   *
   * @param partition the one that grows
   * @throws SnapshotError `disk` where all responses together would take too much of the disk
   */
  mayHold(bytes: number, partition: number): Promise<boolean>;
  /** Takes a partition over that has the agreed hash. */
  commit(partition: MatchedPartition): Promise<void>;
}
