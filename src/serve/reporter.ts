/** The events of a server of snapshots. User interfaces implement the reporter. */

import type { Cycle, HashHex, PublicKey } from "../protocol/brands.ts";

/** A snapshot, as events and the summary name it. */
export interface SnapshotSummary {
  readonly name: string;
  readonly directory: string;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly cycle: Cycle;
  readonly networkHash: HashHex;
  readonly digest: string;
}

export type ServeEvent =
  | { readonly type: "verifying"; readonly directory: string }
  | ({ readonly type: "snapshot" } & SnapshotSummary)
  /** The key that signs answers. A fresh one lasts as long as the server. */
  | { readonly type: "key"; readonly publicKey: PublicKey; readonly isFresh: boolean }
  /** An index of accounts is missing or wrong, and is built. */
  | { readonly type: "indexing"; readonly path: string; readonly reason: string }
  | { readonly type: "indexed"; readonly accounts: number }
  /** The snapshot whose accounts restarting validators get; null if they get none of this server. */
  | { readonly type: "restoring"; readonly name: string | null; readonly mode: string | null }
  /** What a restarting validator received. */
  | { readonly type: "served"; readonly message: string }
  | { readonly type: "listening"; readonly url: string }
  /** A snapshot was changed on the disk, and is not served until it is as verified again. */
  | { readonly type: "changed"; readonly name: string; readonly problem: string }
  | { readonly type: "recovered"; readonly name: string }
  | { readonly type: "warning"; readonly message: string };

export interface ServeReporter {
  report(event: ServeEvent): void;
}
