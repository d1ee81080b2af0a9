/** The events of a restore. */

/** In this order; `place` puts the database where the archiver opens it. */
export type RestoreStep = "verify" | "write" | "read-back" | "keep" | "place" | "append-shutdown" | "done";

export type RestoreEvent =
  | { readonly type: "step"; readonly step: RestoreStep; readonly message: string }
  /** How many accounts the present step has written or read. */
  | { readonly type: "progress"; readonly accounts: number; readonly total: number }
  | { readonly type: "warning"; readonly message: string };

export interface RestoreReporter {
  report(event: RestoreEvent): void;
}
