/** Gives an order to a process of its own (index-process.ts), and waits for its result. */

import { fileURLToPath } from "node:url";
import { performInProcess } from "../../store/database-process.ts";
import type { IndexProgress, IndexWork } from "./index-process.ts";

/** The compiled entry: beside this file, or in `dist/` where this file is a source. */
const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts") ? "../../../dist/serve/index/index-process.js" : "./index-process.js",
    import.meta.url,
  ),
);

export interface IndexChildOptions {
  readonly onProgress?: (accounts: number) => void;
  /** Where SQLite sorts what exceeds its cache. */
  readonly scratchDirectory: string;
  /** Ends the process. */
  readonly signal?: AbortSignal | undefined;
}

/** The process ended before it answered: a damaged file can end it. */
export class IndexProcessError extends Error {
  override readonly name = "IndexProcessError";
  readonly code = "index-process";
}

/** @throws SnapshotError with the code of the failure; {@link IndexProcessError} */
export async function performOnIndex<Kind extends keyof IndexWork>(
  order: IndexWork[Kind]["order"],
  { onProgress, scratchDirectory, signal }: IndexChildOptions,
): Promise<IndexWork[Kind]["result"]> {
  const result = await performInProcess<IndexProgress>(order, {
    ...{ entry, flags: [], scratchDirectory, signal },
    onProgress: ({ accounts }) => onProgress?.(accounts),
    endedEarly: () => new IndexProcessError(order.kind),
  });
  return result as IndexWork[Kind]["result"];
}
