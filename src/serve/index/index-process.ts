/**
 * The process that checks or builds an index; see index-child.ts. It performs one order and ends, and it ends with its
 * parent. A process of its own keeps the server answering, and the SQLite binding keeps a closed file open until its
 * statements are garbage collected.
 */

import { performOneOrder } from "../../store/database-process.ts";
import { buildIndex, type IndexedSnapshot } from "./build-index.ts";
import { problemOfIndex } from "./check-index.ts";

/** Each kind of order, and what it results in. */
export interface IndexWork {
  readonly check: {
    readonly order: { readonly kind: "check"; readonly path: string; readonly digest: string };
    /** Why the file is not the index; null if it is. */
    readonly result: string | null;
  };
  readonly build: {
    readonly order: { readonly kind: "build"; readonly path: string; readonly snapshot: IndexedSnapshot };
    /** The number of accounts. */
    readonly result: number;
  };
}

export type IndexOrder = IndexWork[keyof IndexWork]["order"];

/** What the process says before its result. */
export interface IndexProgress {
  readonly kind: "progress";
  readonly accounts: number;
}

performOneOrder<IndexOrder>(resultOf);

async function resultOf(order: IndexOrder): Promise<number | string | null> {
  if (order.kind === "check") return problemOfIndex(order.path, order.digest) ?? null;
  return await buildIndex(order.path, order.snapshot, (accounts) => {
    process.send?.({ kind: "progress", accounts } satisfies IndexProgress);
  });
}
