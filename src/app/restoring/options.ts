/** The options of a restore, and which of them a target takes. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { RestoreReporter } from "../../events/restore-events.ts";
import type { AccountHashRule } from "../../restore/account-hash.ts";
import type { ArchiverAtShutdown } from "../../restore/archiver/shutdown-record.ts";
import type { ExportForm } from "../../restore/exports/export-form.ts";
import type { VerifyOptions } from "../../verify/check-snapshot.ts";

export type RestoreTarget = "archiver" | ExportForm;

export interface RestoreOptions extends Omit<VerifyOptions, "subset"> {
  readonly to: RestoreTarget;
  /** The folder of the archiver's databases. */
  readonly archiverDb?: string | undefined;
  /** The file of an export. */
  readonly out?: string | undefined;
  /** A file with the IDs of the accounts to export. */
  readonly accounts?: string | undefined;
  /** The partitions to export. */
  readonly partitions?: readonly number[] | undefined;
  /** The URL of the archiver, which must not answer. */
  readonly archiver?: string | undefined;
  /** Whether an archiver that seems to run has crashed. */
  readonly force?: boolean | undefined;
  /** Whether nothing is replaced. */
  readonly dryRun?: boolean | undefined;
  readonly accountHash?: AccountHashRule | "auto" | "none" | undefined;
  /** Whether a record of the shutdown is appended. */
  readonly appendShutdown?: boolean | undefined;
  /** The archivers in that record. */
  readonly archivers?: readonly ArchiverAtShutdown[] | undefined;
  readonly reporter?: RestoreReporter | undefined;
}

/** Where a restore goes to. */
export type Destination =
  | { readonly kind: "archiver"; readonly folder: string }
  | { readonly kind: "file"; readonly form: ExportForm; readonly out: string };

/** @throws SnapshotError `usage` if an option is missing, or another target takes it */
export function destinationOf(options: RestoreOptions): Destination {
  const { to, archiverDb, out, accounts, partitions } = options;
  const { archiver, force, appendShutdown, archivers } = options;
  if (to === "archiver") {
    refuseOthers(to, { "--out": out, "--accounts": accounts, "--partitions": partitions });
    if (archiverDb === undefined) throw missing("--archiver-db", "the folder of the archiver's databases");
    if (appendShutdown === true && archivers === undefined) {
      throw missing("--archivers", "the archivers that the restarted network asks");
    }
    if (appendShutdown !== true && archivers !== undefined)
      throw missing("--append-shutdown", "--archivers is for it");
    return { kind: "archiver", folder: archiverDb };
  }
  const ofArchiver = { "--archiver-db": archiverDb, "--archiver-url": archiver, "--force": force };
  refuseOthers(to, { ...ofArchiver, "--append-shutdown": appendShutdown, "--archivers": archivers });
  if (out === undefined) throw missing("--out", "the file to write");
  if (accounts !== undefined && partitions !== undefined) {
    throw new SnapshotError("usage", "both --accounts and --partitions are given", {
      hint: "Give one of them.",
    });
  }
  return { kind: "file", form: to, out };
}

function refuseOthers(to: RestoreTarget, others: Readonly<Record<string, unknown>>): void {
  const [given] = Object.entries(others).find(([, value]) => value !== undefined && value !== false) ?? [];
  if (given === undefined) return;
  throw new SnapshotError("usage", `--to ${to} does not take ${given}`, {
    hint: "Leave it out; --help says which target takes it.",
  });
}

function missing(option: string, what: string): SnapshotError {
  return new SnapshotError("usage", `missing ${option}: ${what}`, {
    hint: `Give ${option}; --help has examples.`,
  });
}
