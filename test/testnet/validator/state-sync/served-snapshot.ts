/** A real server of one small snapshot, for all tests of a file. */

import { afterAll } from "vitest";
import { serve } from "../../../../src/app/serve.ts";
import type { ServeEvent } from "../../../../src/serve/reporter.ts";
import { makeTemporaryDirectory, removeDirectory } from "../../../helpers/temporary.ts";
import { snapshotWith } from "../../../restore/restorable.ts";

export interface ServedSnapshot {
  readonly url: string;
  readonly digest: string;
  readonly directory: string;
}

/** Assembles a snapshot and serves it until the tests of the file are over. */
export async function serveSnapshot(): Promise<ServedSnapshot> {
  const out = makeTemporaryDirectory();
  const directory = await snapshotWith(out, undefined, { globalAccounts: 4 });
  const ending = new AbortController();
  let digest = "";
  let ended: Promise<unknown> = Promise.resolve();
  const url = await new Promise<string>((resolve, reject) => {
    const report = (event: ServeEvent) => {
      if (event.type === "snapshot") digest = event.digest;
      if (event.type === "listening") resolve(event.url);
    };
    const listen = { host: "127.0.0.1", port: 0 };
    ended = serve([directory], { listen, signal: ending.signal, reporter: { report } });
    ended.catch(reject);
  });
  afterAll(async () => {
    ending.abort();
    await ended;
    removeDirectory(out);
  });
  return { url, digest, directory };
}
