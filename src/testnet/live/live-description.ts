/** What a live cluster says of itself: its description, and its events. */

import type { SnapshotError } from "../../errors/snapshot-error.ts";
import type { ServerReport } from "../validator/state-sync/server-pool.ts";
import type { MembershipEvent, ModeEvent } from "./cycle-maker.ts";
import type { ValidatorEvent } from "./live-validators.ts";

/** The description of a running live cluster. */
export interface LiveClusterDescription {
  readonly name: "live";
  readonly archiverUrl: string;
  /** 64 hex digits, for `--archiver-key`. */
  readonly archiverPublicKey: string;
  /** Those from the beginning, in ascending order of ID. A node that is down has a URL too. */
  readonly nodes: readonly {
    readonly index: number;
    readonly id: string;
    readonly url: string;
    readonly pid: number | null;
  }[];
  /** Seconds. */
  readonly cycleDuration: number;
  readonly snapshotEvery: number;
  /** The start of cycle 0, in milliseconds; of a restarted network, when it would have begun without a pause. */
  readonly startMs: number;
  /** 0, or the cycle at which a restarted network continues. */
  readonly firstCycle: number;
  /** The sum of all balances, which transactions do not change; decimal. */
  readonly totalBalance: string;
  /** Contains the databases, the exports, and the two files below. */
  readonly directory: string;
  /** The files of the genesis accounts and of all transactions since, one a line. */
  readonly genesis: string;
  readonly transactionLog: string;
}

export interface LiveCluster extends LiveClusterDescription {
  /** Resolves if the cluster fails, for example because its transaction log cannot be written. */
  readonly failed: Promise<SnapshotError>;
  /** Ends all processes and servers. */
  stop(): Promise<void>;
}

/** A server of snapshots failed; `validator` is `null` if the cluster itself asked it. */
export type ServerEvent = ServerReport & { readonly validator: number | null };

export type LiveEvent = ValidatorEvent | MembershipEvent | ModeEvent | ServerEvent;
