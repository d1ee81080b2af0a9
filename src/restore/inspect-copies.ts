/** Finds the accounts that a target would lose without a message, before anything is replaced. */

import { setImmediate } from "node:timers/promises";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { unfitAccountsShownMax } from "../limits/restore.ts";
import { counted } from "../text/counted.ts";
import { type AccountCopy, readCopies } from "./account-copy.ts";
import type { AccountHashCounter } from "./account-hash.ts";

/** A half of a character: it has no UTF-8, in which SQLite keeps text. */
const loneSurrogate = /\p{Surrogate}/u;

export interface UnfitAccount {
  readonly accountId: string;
  readonly problem: string;
}

/** What is wrong with the accounts of a snapshot for a target. */
export interface Inspection {
  readonly unfit: number;
  /** The first of them. */
  readonly shown: readonly UnfitAccount[];
}

export interface InspectionContext {
  readonly hashes: AccountHashCounter;
  /** Milliseconds: a validator asks for no account that is newer. */
  readonly nowMs: number;
  /** The accounts that are restored; all of them by default. */
  readonly only?: ReadonlySet<string> | undefined;
  /** Whether the target keeps data that is not JSON, and any timestamp. */
  readonly keepsAnyText?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @param paths the artifacts */
export async function inspectCopies(
  paths: readonly string[],
  context: InspectionContext,
): Promise<Inspection> {
  const { only, signal } = context;
  const shown: UnfitAccount[] = [];
  let unfit = 0;
  for (const path of paths) {
    for await (const copies of readCopies(path)) {
      signal?.throwIfAborted();
      for (const copy of copies) {
        if (only?.has(copy.accountId) === false) continue;
        const problem = problemOf(copy, context);
        if (problem === undefined) continue;
        unfit++;
        if (shown.length < unfitAccountsShownMax) shown.push({ accountId: copy.accountId, problem });
      }
      // The messages of the process that writes are heard between two reads.
      await setImmediate();
    }
  }
  return { unfit, shown };
}

/** @throws SnapshotError `unrestorable` if the target would lose an account */
export function requireFit({ unfit, shown }: Inspection, target: string): void {
  if (unfit === 0) return;
  const details = shown.map(({ accountId, problem }) => `${accountId}: ${problem}`);
  if (unfit > shown.length) details.push(`and ${counted(unfit - shown.length, "more account")}`);
  const message = `${target} would lose ${counted(unfit, "account")} without a message; nothing was replaced`;
  throw new SnapshotError("unrestorable", message, {
    details,
    hint: "The snapshot holds what the validators agreed on: find out which application wrote these accounts. serve answers accounts that an archiver cannot keep.",
  });
}

function problemOf(
  copy: AccountCopy,
  { hashes, nowMs, keepsAnyText = false }: InspectionContext,
): string | undefined {
  const { data, hash, timestamp } = copy;
  const isInRange = keepsAnyText || (timestamp >= 1 && timestamp <= nowMs);
  if (!Number.isSafeInteger(timestamp) || !isInRange) {
    return `its timestamp ${timestamp} is not a whole number from 1 to now`;
  }
  if (loneSurrogate.test(data) || loneSurrogate.test(hash) || hash.includes("\0")) {
    return "its data or its hash is not text in UTF-8";
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    if (!keepsAnyText) return "its data is not JSON";
  }
  // The column has numeric affinity: SQLite would keep the number, not its text.
  if (typeof parsed === "number" && !keepsAnyText) return "its data is a number";
  hashes.add(copy, parsed);
  return undefined;
}
