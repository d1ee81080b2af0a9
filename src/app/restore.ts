/** Restores a published snapshot. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RestoreEvent, RestoreReporter } from "../events/restore-events.ts";
import { path as pathKind } from "../options/kinds.ts";
import { type OptionChecks, requireOptions } from "../options/option-check.ts";
import { checksOf } from "../options/option-row.ts";
import { restoreTable } from "../options/restore-table.ts";
import type { Cycle, HashHex } from "../protocol/brands.ts";
import {
  AccountHashCounter,
  type AccountHashCounts,
  type AccountHashRule,
  accountHashRules,
} from "../restore/account-hash.ts";
import type { ArchiverAtShutdown } from "../restore/archiver/shutdown-record.ts";
import { readSnapshot, type VerifiedSnapshot } from "../restore/read-snapshot.ts";
import { restoreToArchiver, servingWarnings } from "../restore/restore-to-archiver.ts";
import { counted } from "../text/counted.ts";
import { checkSnapshot, type VerifyOptions } from "../verify/check-snapshot.ts";
import { codeOfFindings } from "../verify/findings/finding-code.ts";
import type { Findings } from "../verify/findings/findings.ts";

export type RestoreTarget = "archiver";

export interface RestoreOptions extends Omit<VerifyOptions, "subset"> {
  readonly to: RestoreTarget;
  /** The folder of the archiver's databases. */
  readonly archiverDb?: string | undefined;
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

/** Findings that an error lists. */
const findingsShownMax = 20;

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
  const { archiverDb, appendShutdown, archivers } = options;
  if (archiverDb === undefined) throw missing("--archiver-db", "the folder of the archiver's databases");
  if ((appendShutdown === true) !== (archivers !== undefined)) {
    throw appendShutdown === true
      ? missing("--archivers", "the archivers that the restarted network asks")
      : missing("--append-shutdown", "which --archivers is for");
  }
  const warnings: string[] = [];
  const reporter: RestoreReporter = {
    report: (event: RestoreEvent) => {
      if (event.type === "warning") warnings.push(event.message);
      options.reporter?.report(event);
    },
  };
  const { snapshot, findings } = await verified(directory, options, reporter);
  const hashes = counterFor(options.accountHash ?? restoreTable.accountHash.default, snapshot);
  const restored = await restoreToArchiver(snapshot, {
    ...options,
    folder: archiverDb,
    archiversAtShutdown: archivers,
    hashes,
    reporter,
  });
  for (const message of [...hashWarnings(hashes), ...servingWarnings(restored)]) {
    reporter.report({ type: "warning", message });
  }
  const { cycle, networkHash } = findings;
  const done = options.dryRun === true ? "dry run: nothing was replaced" : `restored ${restored.file}`;
  reporter.report({ type: "step", step: "done", message: done });
  return {
    to: options.to,
    snapshot: { directory, timestamp: snapshot.timestamp, cycle, networkHash, digest: findings.digest },
    accounts: { total: restored.accounts, global: restored.globalAccounts },
    file: restored.file,
    keptFile: restored.keptFile,
    accountHash: hashes.rules.length === 0 ? null : hashes.counts,
    warnings,
    nextSteps: restored.file === null ? [] : nextSteps(restored),
  };
}

function missing(option: string, what: string): SnapshotError {
  return new SnapshotError("usage", `missing ${option}: ${what}`, {
    hint: `Give ${option}; --help has examples.`,
  });
}

type VerifiedFindings = Findings & {
  readonly cycle: Cycle;
  readonly networkHash: HashHex;
  readonly digest: string;
};

async function verified(
  directory: string,
  options: RestoreOptions,
  reporter: RestoreReporter,
): Promise<{ readonly snapshot: VerifiedSnapshot; readonly findings: VerifiedFindings }> {
  reporter.report({ type: "step", step: "verify", message: `verifying ${directory}` });
  const findings = await checkSnapshot(directory, { ...options });
  if (!isVerified(findings)) throw refused(directory, findings);
  return { snapshot: await readSnapshot(directory, findings.digest), findings };
}

function isVerified(findings: Findings): findings is VerifiedFindings {
  const { ok, cycle, networkHash, digest } = findings;
  return ok && cycle !== null && networkHash !== null && digest !== null;
}

function refused(directory: string, { findings, findingsOmitted }: Findings): SnapshotError {
  const count = findings.length + findingsOmitted;
  const details = findings.slice(0, findingsShownMax).map(({ file, problem }) => `${file}: ${problem}`);
  if (count > details.length) details.push(`and ${counted(count - details.length, "more finding")}`);
  return new SnapshotError(
    codeOfFindings(findings),
    `${directory} fails verification (${counted(count, "finding")}), and was not restored`,
    { details, hint: "Run snapshot-assemble verify on it, and restore another snapshot." },
  );
}

function counterFor(
  rule: AccountHashRule | "auto" | "none",
  { agreed }: VerifiedSnapshot,
): AccountHashCounter {
  if (rule === "none") return new AccountHashCounter(agreed.hashKey, []);
  return new AccountHashCounter(agreed.hashKey, rule === "auto" ? accountHashRules : [rule]);
}

/** Validators skip an account whose hash is not that of its data. */
function hashWarnings({ rules, counts }: AccountHashCounter): string[] {
  if (rules.length === 0) return [];
  const fits = rules.map((rule) => `${counted(counts[rule], "account")} by ${rule}`).join(", ");
  const warnings: string[] = [];
  if (counts.neither > 0) {
    warnings.push(
      `${counted(counts.neither, "account")} with another hash than that of the data (fitting: ${fits}): validators skip such accounts`,
    );
  }
  if (rules.every((rule) => counts[rule] > 0) && rules.length > 1) {
    warnings.push(`accounts with the hashes of different applications (${fits}): check --account-hash`);
  }
  return warnings;
}

function nextSteps({
  combinedHash,
  shutdown,
}: {
  readonly combinedHash: string;
  readonly shutdown: { readonly counter: number } | null;
}): string[] {
  const record =
    shutdown === null
      ? "The newest cycle record of the archiver must have the mode shutdown; if the network ended otherwise, run again with --append-shutdown."
      : `The newest cycle record is ${shutdown.counter}, in the mode shutdown; it must be the same on every archiver.`;
  return [
    "Restore the same snapshot on every archiver of archiversAtShutdown: archivers with different accounts block the restart.",
    record,
    "Put tx-list-restore.json beside the archiver's package.json and set restoreNGTsFromSnapshot=true, unless the network's list of transactions was empty.",
    "Start the first archiver (without ARCHIVER_INFO and without archivers in its configuration), then the others.",
    `Compare POST /get_globalaccountreport_archiver of all archivers: combinedHash must be ${combinedHash}.`,
    "Start the validators.",
  ];
}
