/** The events of a restore. */

/**
 * `write` makes a database; `replay` applies receipts to it, and `measure` reads that back; `export` makes a file of it; `keep` gives the replaced file another name; `place` gives the new
 * one its own.
 */
export type RestoreStep =
  | "verify"
  | "write"
  | "export"
  | "read-back"
  | "replay"
  | "measure"
  | "keep"
  | "place"
  | "append-shutdown"
  | "done";

export type RestoreEvent =
  | { readonly type: "step"; readonly step: RestoreStep; readonly message: string }
  /** How many accounts the present step has written or read. */
  | { readonly type: "progress"; readonly accounts: number; readonly total: number }
  /** How many receipts have been replayed. */
  | { readonly type: "replayed"; readonly receipts: number; readonly total: number }
  | { readonly type: "warning"; readonly message: string };

export interface RestoreReporter {
  report(event: RestoreEvent): void;
}
