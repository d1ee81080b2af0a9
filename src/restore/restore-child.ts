/** Gives an order to a process of its own (restore-process.ts), and waits for its result. */

import { fileURLToPath } from "node:url";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { performInProcess } from "../store/database-process.ts";
import type { RestoreProgress, RestoreWork } from "./restore-process.ts";

/** The compiled entry: beside this file, or in `dist/` where this file is a source. */
const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts") ? "../../dist/restore/restore-process.js" : "./restore-process.js",
    import.meta.url,
  ),
);

/** What a process reads lives for a moment. Without this bound, 30 MB of it wait to be freed. */
const childFlags = ["--max-semi-space-size=1"];

export interface ChildOptions {
  readonly onProgress?: ((accounts: number) => void) | undefined;
  readonly onReceipts?: (receipts: number, total: number) => void;
  /** Where SQLite sorts what exceeds its cache; by default in the system's directory for temporary files. */
  readonly scratchDirectory?: string;
  /** Ends the process. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws SnapshotError with the code of the failure; `disk` if the process ended before it answered */
export async function performInChild<Kind extends keyof RestoreWork>(
  order: RestoreWork[Kind]["order"],
  { onProgress, onReceipts, scratchDirectory, signal }: ChildOptions = {},
): Promise<RestoreWork[Kind]["result"]> {
  const result = await performInProcess<RestoreProgress>(order, {
    ...{ entry, flags: childFlags, scratchDirectory, signal },
    onProgress: (reply) => {
      if (reply.kind === "progress") onProgress?.(reply.accounts);
      else onReceipts?.(reply.receipts, reply.total);
    },
    endedEarly: () => endedEarly(order.kind),
  });
  return result as RestoreWork[Kind]["result"];
}

/** The SQLite binding ends the process if a text is not UTF-8, which nothing but a damaged file has here. */
function endedEarly(kind: string): SnapshotError {
  return new SnapshotError("disk", `the process that should ${kind} ended before it was done`, {
    hint: "Nothing was replaced. Check the disk and the memory of this machine, and run again.",
  });
}
