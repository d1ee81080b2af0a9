/**
 * The process that checks or builds an index; see index-child.ts. It performs one order and ends, and it ends with its
 * parent. A process of its own keeps the server answering, and the SQLite binding keeps a closed file open until its
 * statements are garbage collected.
 */

import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
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

export type IndexReply =
  | { readonly kind: "progress"; readonly accounts: number }
  | { readonly kind: "done"; readonly result: unknown }
  | {
      readonly kind: "failed";
      readonly code: SnapshotError["code"] | undefined;
      readonly message: string;
      readonly details: readonly string[];
      readonly hint: string | undefined;
    };

process.once("disconnect", () => process.exit());
process.once("message", (order: IndexOrder) => {
  void perform(order).then((reply) => {
    process.send?.(reply, () => process.disconnect());
  });
});

async function perform(order: IndexOrder): Promise<IndexReply> {
  try {
    return { kind: "done", result: await resultOf(order) };
  } catch (error) {
    if (!(error instanceof SnapshotError)) {
      return { kind: "failed", code: undefined, message: messageOf(error), details: [], hint: undefined };
    }
    const { code, message, details, hint } = error;
    return { kind: "failed", code, message, details, hint };
  }
}

async function resultOf(order: IndexOrder): Promise<number | string | null> {
  if (order.kind === "check") return problemOfIndex(order.path, order.digest) ?? null;
  return await buildIndex(order.path, order.snapshot, (accounts) => {
    process.send?.({ kind: "progress", accounts } satisfies IndexReply);
  });
}
