/** Restores a published snapshot. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RestoreEvent, RestoreReporter } from "../events/restore-events.ts";
import { path as pathKind } from "../options/kinds.ts";
import { type OptionChecks, requireOptions } from "../options/option-check.ts";
import { checksOf } from "../options/option-row.ts";
import { restoreTable } from "../options/restore-table.ts";
import type { Cycle, HashHex } from "../protocol/brands.ts";
import { AccountHashCounter, type AccountHashCounts, accountHashRules } from "../restore/account-hash.ts";
import { readNextRecord, readSnapshot, type VerifiedSnapshot } from "../restore/read-snapshot.ts";
import { restoreToArchiver, servingWarnings } from "../restore/restore-to-archiver.ts";
import { restoreToFile } from "../restore/restore-to-file.ts";
import { hashWarnings, nextStepsOfArchiver, nextStepsOfForm } from "./restoring/advice.ts";
import { readChosenAccounts } from "./restoring/chosen-accounts.ts";
import {
  type Destination,
  destinationOf,
  type RestoreOptions,
  type RestoreTarget,
} from "./restoring/options.ts";
import { requireVerified } from "./restoring/verified.ts";

export type { RestoreOptions, RestoreTarget };

export interface RestoreResult {
  readonly to: RestoreTarget;
  readonly snapshot: {
    readonly directory: string;
    /** Milliseconds. */
    readonly timestamp: number;
    readonly cycle: Cycle;
    readonly networkHash: HashHex;
    readonly digest: string;
  };
  readonly accounts: { readonly total: number; readonly global: number };
  /** The restored file; null in a dry run. */
  readonly file: string | null;
  /** The new name of the file that was replaced. */
  readonly keptFile: string | null;
  /** How many accounts have the hash of each rule that was tried; null if none was. */
  readonly accountHash: AccountHashCounts | null;
  readonly warnings: readonly string[];
  /** What the operator has to do now. */
  readonly nextSteps: readonly string[];
}

const restoreChecks: OptionChecks<RestoreOptions> = checksOf(restoreTable);

/**
 * Verifies a published snapshot, writes it in the form of a target, reads everything back, and puts it in place: all of it
 * or nothing.
 *
 * @throws SnapshotError `no-such-snapshot`, or the code of the most severe finding of the verification; `in-use` if the
 *   target is in use, `unrestorable` if it would lose accounts, `disk`, `configuration`, `usage`
 */
export async function restore(directory: string, options: RestoreOptions): Promise<RestoreResult> {
  requireOptions("restore", options, restoreChecks);
  if (!pathKind.accepts(directory)) {
    throw new SnapshotError("usage", `restore(): invalid directory: expected ${pathKind.expected}`);
  }
  const destination = destinationOf(options);
  const warnings: string[] = [];
  const reporter: RestoreReporter = {
    report: (event: RestoreEvent) => {
      if (event.type === "warning") warnings.push(event.message);
      options.reporter?.report(event);
    },
  };
  reporter.report({ type: "step", step: "verify", message: `verifying ${directory}` });
  const { cycle, networkHash, digest } = await requireVerified(directory, options, "restore");
  const snapshot = await readSnapshot(directory, digest);
  const hashes = counterFor(options.accountHash ?? restoreTable.accountHash.default, snapshot);
  const restored = await restoreTo(destination, { directory, snapshot, options, hashes, reporter });
  for (const message of [...hashWarnings(hashes), ...restored.warnings]) {
    reporter.report({ type: "warning", message });
  }
  const done = restored.file === null ? "dry run: nothing was put in place" : `restored ${restored.file}`;
  reporter.report({ type: "step", step: "done", message: done });
  return {
    to: options.to,
    snapshot: { directory, timestamp: snapshot.timestamp, cycle, networkHash, digest },
    accounts: restored.accounts,
    file: restored.file,
    keptFile: restored.keptFile,
    accountHash: hashes.rules.length === 0 ? null : hashes.counts,
    warnings,
    nextSteps: restored.file === null ? [] : restored.nextSteps,
  };
}

interface Restoring {
  readonly directory: string;
  readonly snapshot: VerifiedSnapshot;
  readonly options: RestoreOptions;
  readonly hashes: AccountHashCounter;
  readonly reporter: RestoreReporter;
}

type Restored = Pick<RestoreResult, "accounts" | "file" | "keptFile" | "warnings" | "nextSteps">;

async function restoreTo(destination: Destination, restoring: Restoring): Promise<Restored> {
  const { directory, snapshot, options, hashes, reporter } = restoring;
  const { dryRun, signal } = options;
  if (destination.kind === "archiver") {
    const { archiver, force, archivers: archiversAtShutdown } = options;
    const idle = { archiver, force, signal };
    const { folder } = destination;
    const restored = await restoreToArchiver(snapshot, {
      ...idle,
      folder,
      dryRun,
      archiversAtShutdown,
      hashes,
      reporter,
    });
    return {
      accounts: { total: restored.accounts, global: restored.globalAccounts },
      file: restored.file,
      keptFile: restored.keptFile,
      warnings: servingWarnings(restored, true),
      nextSteps: nextStepsOfArchiver(restored, snapshot.txList),
    };
  }
  const { form, out } = destination;
  const accounts =
    options.accounts === undefined ? undefined : await readChosenAccounts(options.accounts, signal);
  const nextRecord = form === "core-tables" ? await readNextRecord(directory, snapshot) : null;
  const { partitions } = options;
  const exported = await restoreToFile(snapshot, {
    ...{ form, out, dryRun, hashes, nextRecord, reporter, signal },
    selection: { accounts, partitions },
  });
  const lacksRecord = form === "core-tables" && nextRecord === null;
  return {
    accounts: exported.accounts,
    file: exported.file,
    keptFile: null,
    warnings: lacksRecord
      ? ["the snapshot's evidence lacks the record of the next cycle, so the table of cycle records is empty"]
      : [],
    nextSteps: nextStepsOfForm(form),
  };
}

function counterFor(
  rule: NonNullable<RestoreOptions["accountHash"]>,
  { agreed }: VerifiedSnapshot,
): AccountHashCounter {
  if (rule === "none") return new AccountHashCounter(agreed.hashKey, []);
  return new AccountHashCounter(agreed.hashKey, rule === "auto" ? accountHashRules : [rule]);
}
