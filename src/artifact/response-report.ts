/** The receiver of a response, and the report of how it went. */

import type { FetchError } from "../errors/fetch-error.ts";
import type { ResponseError } from "../errors/response-error.ts";
import type { MismatchedPartition } from "../events/sync-events.ts";
import type { HashHex, Partition } from "../protocol/brands.ts";

/**
 * A file with a sorted list of copies: an artifact, or the beginning of one. Only accounts within the addresses count.
 * Nothing about its content is known: only the hash of what it completes decides.
 */
export interface BaseFile {
  readonly path: string;
  readonly compression: "none" | "gzip";
  /** How much of a plain file counts, from its first byte; `undefined` for all of it. */
  readonly bytes?: number | undefined;
  /** Inclusive addresses. */
  readonly low: string;
  readonly high: string;
}

/** Accounts in the database of an archiver, of which everything else holds as for a {@link BaseFile}. */
export interface BaseTable {
  /** The SQLite file. */
  readonly path: string;
  readonly isGlobal: boolean;
  /** Inclusive addresses. */
  readonly low: string;
  readonly high: string;
}

export type BaseSource = BaseFile | BaseTable;

/** What a run already has of a partition when it requests the rest. */
export interface PartitionBase {
  readonly files: readonly BaseSource[];
  /** Whether every account of it is from the peer of this response, which then answers for the whole partition. */
  readonly isOfPeer: boolean;
}

/** A partition of a response that has the agreed hash. */
export interface MatchedPartition {
  readonly partition: Partition;
  readonly accounts: number;
  readonly bytes: number;
  /** How many of the bytes are the base's. */
  readonly baseBytes: number;
  /** A file with the preimage, which the receiver now owns. */
  readonly path: string;
}

/** The beginning of a partition, in ascending order of address, which a response that broke off leaves. */
export interface Beginning {
  readonly partition: Partition;
  readonly firstId: string;
  readonly lastId: string;
  readonly bytes: number;
  /** A list without its end, which the receiver now owns. */
  readonly path: string;
}

/** A base that the accounts of a response did not complete. Who is wrong is unknown. */
export interface UnfitBase {
  readonly partition: Partition;
  readonly reason: string;
}

/** How a response ended. */
export type ResponseEnd =
  | { readonly kind: "complete" }
  | { readonly kind: "failed"; readonly error: FetchError | ResponseError };

export interface ResponseReport {
  readonly end: ResponseEnd;
  readonly accounts: number;
  /** The partition of the last account. */
  readonly lastPartition: Partition | undefined;
  readonly foreignAccounts: number;
  readonly duplicateAccounts: number;
  readonly mismatched: readonly MismatchedPartition[];
  /** Partitions that had the agreed hash, and of which more accounts followed. */
  readonly superfluous: readonly Partition[];
  /** Partitions that were abandoned as too large: each held at least an equal share of all held bytes. */
  readonly outgrown: readonly { readonly partition: Partition; readonly bytes: number }[];
  readonly beginnings: readonly Beginning[];
  readonly unfitBases: readonly UnfitBase[];
}

/** Decides which partitions a response may give, and takes them. */
export interface ResponseReceiver {
  /** The requested partitions: a complete response without accounts of one of them states that it is empty. */
  readonly requested: ReadonlySet<Partition>;
  /** Whether accounts that have not changed for long may be missing. */
  readonly isDelta: boolean;
  /** What this response is to complete; `undefined` for a partition that it must give whole. */
  base(partition: Partition): PartitionBase | undefined;
  /** Whether the peer stores a partition. */
  stores(partition: Partition): boolean;
  /** The agreed hash of a partition; `undefined` if this response must not give it. */
  expected(partition: Partition): HashHex | undefined;
  /** Called when the response starts a partition that is {@link expected}. */
  begin(partition: Partition): void;
  /**
   * Whether the response may continue while it holds so many unconfirmed bytes.
   *
   * @param partition the one that grows
   * @throws SnapshotError `disk` if all responses together take too much of the disk
   */
  mayHold(bytes: number, partition: Partition): Promise<boolean>;
  /** Takes a partition that has the agreed hash. */
  commit(partition: MatchedPartition): Promise<void>;
}
