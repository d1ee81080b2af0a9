/** The forms in which accounts are exported to a file (RESTORE.md, Target B). */

/**
 * `account-export`: the text that the first node of a new network of Shardeum loads. `accounts-entry`: the database of a
 * Shardeum validator, for a read-only RPC. `core-tables`: the old data of a core of before 2024-11. `jsonl`: the copies of
 * the artifacts, one a line.
 */
export type ExportForm = "account-export" | "accounts-entry" | "core-tables" | "jsonl";

export const exportForms: readonly ExportForm[] = [
  "account-export",
  "accounts-entry",
  "core-tables",
  "jsonl",
];

/** Returns whether a form is text, not a database. */
export function isText(form: ExportForm): form is "account-export" | "jsonl" {
  return form === "account-export" || form === "jsonl";
}

/** The hashes that the tables of a core have beside the accounts. */
export interface CoreState {
  readonly cycle: number;
  readonly networkHash: string;
  readonly hashes: readonly (readonly [partition: number, hash: string])[];
  /** The record of the cycle after the snapshot's, as received; null if it is unknown. */
  readonly nextRecord: Readonly<Record<string, unknown>> | null;
}

/** What is exported, from a database that was read back. */
export interface Export {
  /** The database with the accounts. */
  readonly scratch: string;
  readonly path: string;
  readonly form: ExportForm;
  /** The IDs of the accounts; null for all of them. */
  readonly chosen: readonly string[] | null;
  readonly core: CoreState;
}

/** The number of accounts in an export, and how many of them are global. */
export interface ExportCounts {
  readonly total: number;
  readonly global: number;
}
