/** The hash thread; see hash-thread.ts. It replies to every order, in sequence. */

import { parentPort } from "node:worker_threads";
import type { HashHex } from "../protocol/brands.ts";
import { RunningHash } from "../protocol/crypto/hash.ts";
import type { HashOrder, HashReply } from "./hash-thread.ts";

const hashes = new Map<number, RunningHash>();

parentPort?.on("message", (order: HashOrder) => {
  const reply: HashReply = { digest: perform(order) };
  parentPort?.postMessage(reply);
});

parentPort?.postMessage({ digest: undefined });

function perform(order: HashOrder): HashHex | undefined {
  switch (order.kind) {
    case "begin":
      hashes.set(order.id, RunningHash.from(order.bytes));
      return undefined;
    case "update":
      hashOf(order).update(order.bytes);
      return undefined;
    case "digest":
      return hashOf(order).copy().update(order.bytes).digest();
    case "forget":
      hashes.delete(order.id);
      return undefined;
  }
}

function hashOf({ id }: HashOrder): RunningHash {
  const hash = hashes.get(id);
  if (hash === undefined) throw new Error(`there is no hash ${id}`);
  return hash;
}
