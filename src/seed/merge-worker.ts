/** A merge thread; see merge-threads.ts. It performs one order at a time. */

import { parentPort } from "node:worker_threads";
import { messageOf, systemCodeOf } from "../errors/snapshot-error.ts";
import { BaseError } from "./base-text.ts";
import { mergeLists } from "./merge-lists.ts";
import type { MergeMessage, MergeReply } from "./merge-threads.ts";

parentPort?.on("message", (message: MergeMessage) => {
  void perform(message).then((reply) => parentPort?.postMessage(reply));
});

async function perform(order: MergeMessage): Promise<MergeReply> {
  try {
    return { kind: "merged", merged: await mergeLists(order) };
  } catch (error) {
    if (error instanceof BaseError) return { kind: "unusable", reason: error.message };
    return { kind: "failed", message: messageOf(error), systemCode: systemCodeOf(error) };
  }
}
