/** Exports the accounts of a snapshot, all or some of them, to a new file. */

import { rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RestoreReporter } from "../events/restore-events.ts";
import { asPartition } from "../protocol/brands.ts";
import { GLOBAL_PARTITION, makeShard, partitionOf } from "../protocol/shard.ts";
import { statsOf } from "../store/own-files.ts";
import { counted } from "../text/counted.ts";
import type { AccountHashCounter } from "./account-hash.ts";
import type { Export, ExportForm } from "./exports/export-form.ts";
import { placeFile } from "./place-file.ts";
import type { VerifiedSnapshot } from "./read-snapshot.ts";
import { performInChild } from "./restore-child.ts";
import { acquireTargetLock } from "./target-lock.ts";
import { writeInspected } from "./write-inspected.ts";

/** What is exported; everything if neither is given. */
export interface Selection {
  /** The IDs of accounts. */
  readonly accounts?: readonly string[] | undefined;
  readonly partitions?: readonly number[] | undefined;
}

export interface FileRestoreOptions {
  readonly form: ExportForm;
  /** A file that does not exist. */
  readonly out: string;
  readonly selection: Selection;
  readonly dryRun?: boolean | undefined;
  readonly hashes: AccountHashCounter;
  /** The record of the cycle after the snapshot's. */
  readonly nextRecord: Readonly<Record<string, unknown>> | null;
  readonly reporter: RestoreReporter;
  readonly signal?: AbortSignal | undefined;
}

export interface FileRestore {
  readonly accounts: { readonly total: number; readonly global: number };
  /** The file; null in a dry run. */
  readonly file: string | null;
}

/** The artifacts that hold what is exported, and their partitions. */
interface ChosenArtifacts {
  readonly partitions: readonly number[];
  readonly artifacts: readonly string[];
  readonly isWhole: boolean;
}

/**
 * Writes the accounts to a scratch database and reads it back against the agreed hashes; then makes the export of it, reads
 * that back against the database, and puts it in place.
 *
 * @throws SnapshotError `configuration` if the file exists, or a partition does not, `in-use` if another restore writes it,
 *   `unrestorable` if the form would lose accounts, `disk`
 */
export async function restoreToFile(
  snapshot: VerifiedSnapshot,
  options: FileRestoreOptions,
): Promise<FileRestore> {
  const out = resolve(options.out);
  await requireNoFile(out);
  const chosen = chooseArtifacts(snapshot, options.selection);
  const [aside, scratch] = [`${out}.restoring`, `${out}.scratch`];
  const lock = await acquireTargetLock(out);
  try {
    await removeFiles(aside, scratch);
    await writeScratch(snapshot, chosen, scratch, options);
    const accounts = await writeAside(snapshot, chosen, { aside, scratch }, options);
    if (options.dryRun === true) return { accounts, file: null };
    options.signal?.throwIfAborted();
    await requireNoFile(out);
    options.reporter.report({ type: "step", step: "place", message: `placing ${out}` });
    await placeFile(aside, out);
    return { accounts, file: out };
  } finally {
    await removeFiles(aside, scratch);
    await lock.release();
  }
}

function chooseArtifacts(
  { artifacts, agreed }: VerifiedSnapshot,
  { accounts, partitions }: Selection,
): ChosenArtifacts {
  const numNodes = artifacts.length - 1;
  if (accounts === undefined && partitions === undefined) {
    return { partitions: agreed.hashes.map(([partition]) => partition), artifacts, isWhole: true };
  }
  const shard = makeShard({ numNodes });
  const wanted = new Set<number>(partitions ?? [GLOBAL_PARTITION]);
  for (const accountId of accounts ?? []) wanted.add(partitionOf(shard, accountId));
  const ascending = [...wanted].sort((a, b) => a - b);
  const paths = ascending.map((partition) => {
    // Artifacts are in order of partition, −1 first.
    const path = artifacts[asPartition(partition) + 1];
    if (path !== undefined) return path;
    throw new SnapshotError("configuration", `the snapshot has no partition ${partition}`, {
      hint: `It has the partitions -1 to ${numNodes - 1}.`,
    });
  });
  return { partitions: ascending, artifacts: paths, isWhole: false };
}

/** Writes the accounts to a database and reads it back. Meanwhile they are inspected. */
async function writeScratch(
  { accounts: all, agreed }: VerifiedSnapshot,
  { artifacts, partitions, isWhole }: ChosenArtifacts,
  path: string,
  { selection, form, hashes, reporter, signal }: FileRestoreOptions,
): Promise<void> {
  const onProgress = (done: number) => reporter.report({ type: "progress", accounts: done, total: all });
  const what = isWhole ? counted(all, "account") : counted(partitions.length, "partition");
  reporter.report({ type: "step", step: "write", message: `reading ${what}` });
  const order = { kind: "write", path, cycle: agreed.cycle, artifacts, form: "scratch" } as const;
  const only = selection.accounts === undefined ? undefined : new Set(selection.accounts);
  const inspection = { hashes, nowMs: Date.now(), signal, only, keepsAnyText: form === "jsonl" };
  await writeInspected(order, { ...inspection, target: form, onProgress });
  reporter.report({
    type: "step",
    step: "read-back",
    message: "checking the accounts against the agreed hashes",
  });
  const readBack = { kind: "read-back", path, agreed, partitions } as const;
  await performInChild<"read-back">(readBack, { signal, onProgress });
}

/** Makes the export and reads it back. Returns the number of accounts. */
async function writeAside(
  { agreed }: VerifiedSnapshot,
  { partitions }: ChosenArtifacts,
  { aside, scratch }: { readonly aside: string; readonly scratch: string },
  { form, selection, nextRecord, reporter, signal }: FileRestoreOptions,
): Promise<FileRestore["accounts"]> {
  const { accounts } = selection;
  const wanted = new Set(partitions);
  const { cycle, networkHash } = agreed;
  const hashes = agreed.hashes.filter(([partition]) => wanted.has(partition));
  const order: Export = {
    scratch,
    path: aside,
    form,
    chosen: accounts ?? null,
    core: { cycle, networkHash, hashes, nextRecord },
  };
  // SQLite sorts what exceeds its cache in files: beside the target, not in a directory that may be in memory.
  const context = { signal, scratchDirectory: dirname(aside) };
  reporter.report({ type: "step", step: "export", message: `writing ${aside}` });
  const written = await performInChild<"export">({ ...order, kind: "export" }, context);
  const onProgress = (done: number) =>
    reporter.report({ type: "progress", accounts: done, total: written.total });
  reporter.report({ type: "step", step: "read-back", message: `reading ${aside} back` });
  const found = await performInChild<"check-export">(
    { ...order, kind: "check-export" },
    { ...context, onProgress },
  );
  const missing = accounts === undefined ? 0 : new Set(accounts).size - found.total;
  if (missing > 0) {
    const message = `${counted(missing, "account")} of the list ${missing === 1 ? "is" : "are"} not in the snapshot`;
    reporter.report({ type: "warning", message });
  }
  return found;
}

async function removeFiles(...paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true });
}

async function requireNoFile(path: string): Promise<void> {
  if ((await statsOf(path)) === undefined) return;
  throw new SnapshotError("configuration", `${path} exists`, {
    hint: "Give another file with --out, or remove this one.",
  });
}
