/** Writes the accounts of artifacts to a database, in a process of its own, and inspects them meanwhile. */

import { dirname } from "node:path";
import type { WriteOrder } from "./archiver/accounts-table.ts";
import { type InspectionContext, inspectCopies, requireFit } from "./inspect-copies.ts";
import { performInChild } from "./restore-child.ts";

export interface InspectedWrite extends InspectionContext {
  /** What would lose accounts, for the message. */
  readonly target: string;
  readonly onProgress: (accounts: number) => void;
}

/** @throws SnapshotError `unrestorable` if the target would lose an account, `disk`, `verification` */
export async function writeInspected(order: WriteOrder, context: InspectedWrite): Promise<void> {
  const { target, onProgress, signal } = context;
  const ended = new AbortController();
  const both = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  const scratchDirectory = dirname(order.path);
  const writing = performInChild<"write">(order, { signal: both, onProgress, scratchDirectory });
  // The process that writes has ended before its file is removed, whatever the inspection finds.
  const hasEnded = writing.then(
    () => undefined,
    () => undefined,
  );
  try {
    requireFit(await inspectCopies(order.artifacts, context), target);
  } catch (error) {
    ended.abort(error);
    await hasEnded;
    throw error;
  }
  await writing;
}
