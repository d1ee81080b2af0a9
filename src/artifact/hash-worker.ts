/** The hash thread; see hash-thread.ts. It replies to every request, in sequence. */

import { parentPort } from "node:worker_threads";
import type { HashHex } from "../protocol/brands.ts";
import { RunningHash } from "../protocol/crypto/hash.ts";
import type { HashReply, HashRequest } from "./hash-thread.ts";

const hashes = new Map<number, RunningHash>();

parentPort?.on("message", (request: HashRequest) => {
  const reply: HashReply = { digest: perform(request) };
  parentPort?.postMessage(reply);
});

parentPort?.postMessage({ digest: undefined });

function perform(request: HashRequest): HashHex | undefined {
  switch (request.kind) {
    case "begin":
      hashes.set(request.id, RunningHash.from(request.bytes));
      return undefined;
    case "update":
      hashOf(request).update(request.bytes);
      return undefined;
    case "digest":
      return hashOf(request).copy().update(request.bytes).digest();
    case "forget":
      hashes.delete(request.id);
      return undefined;
  }
}

function hashOf({ id }: HashRequest): RunningHash {
  const hash = hashes.get(id);
  if (hash === undefined) throw new Error(`there is no hash ${id}`);
  return hash;
}
