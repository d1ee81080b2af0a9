/** Restores a snapshot to the database of an archiver: all of it or nothing. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RestoreReporter } from "../events/restore-events.ts";
import { crowdedAccountsMin, crowdedTimestampsShownMax } from "../limits/restore.ts";
import { ARCHIVER_ACCOUNTS_FILE } from "../store/archiver-accounts.ts";
import { counted } from "../text/counted.ts";
import type { AccountHashCounter } from "./account-hash.ts";
import {
  ARCHIVER_CYCLES_FILE,
  type IdleOptions,
  requireClosed,
  requireIdle,
} from "./archiver/archiver-folder.ts";
import type { AccountsReadBack, AgreedState } from "./archiver/read-accounts-back.ts";
import { type Appended, type ArchiverAtShutdown, requireCycles } from "./archiver/shutdown-record.ts";
import { keepFile, placeFile } from "./place-file.ts";
import type { VerifiedSnapshot } from "./read-snapshot.ts";
import { type ChildOptions, performInChild } from "./restore-child.ts";
import { acquireTargetLock } from "./target-lock.ts";
import { writeInspected } from "./write-inspected.ts";

export interface ArchiverRestoreOptions extends IdleOptions {
  /** The folder of the archiver's databases. */
  readonly folder: string;
  /** If given, a record of the shutdown is appended, with these archivers. */
  readonly archiversAtShutdown?: readonly ArchiverAtShutdown[] | undefined;
  /** Changes the restored database before it is put in place. Returns what it then holds. */
  readonly complete?: ((path: string) => Promise<AccountsReadBack>) | undefined;
  readonly hashes: AccountHashCounter;
  readonly reporter: RestoreReporter;
}

export interface ArchiverRestore extends AccountsReadBack {
  /** The archiver's database; null in a dry run. */
  readonly file: string | null;
  /** The old database under its new name; null if there was none, or in a dry run. */
  readonly keptFile: string | null;
  readonly shutdown: Appended | null;
}

/**
 * Writes the accounts aside, reads them back, and replaces the archiver's database. A process that is killed at any moment
 * leaves the old database or the new one.
 *
 * @throws SnapshotError `in-use` if an archiver runs, `unrestorable` if the archiver would lose accounts, `disk`,
 *   `configuration` if the folder does not exist
 */
export async function restoreToArchiver(
  snapshot: VerifiedSnapshot,
  options: ArchiverRestoreOptions,
): Promise<ArchiverRestore> {
  const { folder, archiversAtShutdown } = options;
  await requireIdle(folder, options);
  if (archiversAtShutdown !== undefined) requireCycles(join(folder, ARCHIVER_CYCLES_FILE));
  const path = join(folder, ARCHIVER_ACCOUNTS_FILE);
  const aside = `${path}.restoring`;
  const lock = await acquireTargetLock(path);
  try {
    await rm(aside, { force: true });
    const restored = await writeAside(snapshot, aside, options);
    const readBack = (await options.complete?.(aside)) ?? restored;
    if (options.dryRun === true) return { ...readBack, file: null, keptFile: null, shutdown: null };
    const keptFile = await replace(snapshot, { aside, path }, options);
    const shutdown = await appendShutdown(snapshot, options);
    return { ...readBack, file: path, keptFile, shutdown };
  } finally {
    await rm(aside, { force: true });
    await lock.release();
  }
}

/** Writes a database and reads it back. Meanwhile the accounts are inspected. */
async function writeAside(
  { accounts: total, artifacts, agreed }: VerifiedSnapshot,
  path: string,
  { hashes, reporter, signal }: ArchiverRestoreOptions,
): Promise<AccountsReadBack> {
  const onProgress = (accounts: number) => reporter.report({ type: "progress", accounts, total });
  reporter.report({
    type: "step",
    step: "write",
    message: `writing ${counted(total, "account")} to ${path}`,
  });
  await writeInspected(
    { kind: "write", form: "archiver", path, cycle: agreed.cycle, artifacts },
    { hashes, nowMs: Date.now(), signal, target: "an archiver", onProgress },
  );
  reporter.report({ type: "step", step: "read-back", message: "reading the database back" });
  return await readBack(path, agreed, { signal, onProgress });
}

/** Checks the accounts and the indexes at the same time. Ends both checks if one fails. */
async function readBack(
  path: string,
  agreed: AgreedState,
  { signal, onProgress }: ChildOptions,
): Promise<AccountsReadBack> {
  const failed = new AbortController();
  const both = { signal: AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])]) };
  const checks = [
    performInChild<"read-back">({ kind: "read-back", path, agreed }, { ...both, onProgress }),
    performInChild<"check-indexes">({ kind: "check-indexes", path }, both),
  ] as const;
  try {
    const [found] = await Promise.all(checks);
    return found;
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(checks);
    throw error;
  }
}

/** Keeps the old database and places the new one. Returns the name under which the old one is kept. */
async function replace(
  { timestamp }: VerifiedSnapshot,
  { aside, path }: { readonly aside: string; readonly path: string },
  options: ArchiverRestoreOptions,
): Promise<string | null> {
  const { reporter, signal } = options;
  const kept = `${path}.before-${timestamp}`;
  await requireIdle(options.folder, options);
  signal?.throwIfAborted();
  reporter.report({ type: "step", step: "keep", message: `keeping the old database as ${kept}` });
  const keptFile = (await keepFile(path, kept)) ?? null;
  // A log of the old database would be applied to the new one.
  await requireClosed(path);
  reporter.report({ type: "step", step: "place", message: `placing ${path}` });
  const warning = await placeFile(aside, path);
  if (warning !== undefined) reporter.report({ type: "warning", message: warning });
  return keptFile;
}

async function appendShutdown(
  { agreed, txList }: VerifiedSnapshot,
  { folder, archiversAtShutdown: archivers, reporter, signal }: ArchiverRestoreOptions,
): Promise<Appended | null> {
  if (archivers === undefined) return null;
  const path = join(folder, ARCHIVER_CYCLES_FILE);
  reporter.report({
    type: "step",
    step: "append-shutdown",
    message: `appending the record of the shutdown to ${path}`,
  });
  const { hashKey } = agreed;
  return await performInChild<"append-shutdown">(
    { kind: "append-shutdown", path, archivers, txListHash: txList?.hash ?? null, hashKey },
    { signal },
  );
}

/**
 * Returns the warnings about what an archiver serves wrongly.
 *
 * @param isSnapshot whether the accounts are those of the snapshot, which `serve` can serve
 */
export function servingWarnings(
  { crowded, globalAccounts }: AccountsReadBack,
  isSnapshot: boolean,
): string[] {
  const remedy = isSnapshot
    ? "serve answers them all"
    : "serve would answer them all, but of the snapshot alone, without what came after it";
  const warnings: string[] = [];
  const [first] = crowded;
  if (first !== undefined) {
    const atLeast = crowded.length === crowdedTimestampsShownMax ? "at least " : "";
    warnings.push(
      `${atLeast}${counted(crowded.length, "timestamp")} of ${crowdedAccountsMin} accounts or more, such as ${first.timestamp} with ${first.accounts}: an archiver skips accounts behind such a group; ${remedy}`,
    );
  }
  if (globalAccounts > 1) {
    warnings.push(
      `${counted(globalAccounts, "global account")}: an archiver answers none if a validator asks for two or more at once; ${remedy}`,
    );
  }
  return warnings;
}
