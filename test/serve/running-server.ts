/** A server of snapshots in this process, and published snapshots for it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { type ServeOptions, type ServeResult, serve } from "../../src/app/serve.ts";
import type { WrappedData } from "../../src/protocol/account-copy.ts";
import type { ServeEvent } from "../../src/serve/reporter.ts";
import type { AccountMaker } from "../../src/testnet/state/seeded-state.ts";
import { makeTemporaryDirectory, removeDirectory } from "../helpers/temporary.ts";
import { snapshotWith } from "../restore/restorable.ts";

export interface RunningServer {
  readonly url: string;
  /** The events so far. */
  readonly events: readonly ServeEvent[];
  /** Ends the server, which resolves when it has ended. */
  readonly stop: () => Promise<ServeResult>;
  /** Resolves with the next event of a type. */
  readonly next: <Type extends ServeEvent["type"]>(
    type: Type,
  ) => Promise<Extract<ServeEvent, { type: Type }>>;
}

/** Starts a server, which ends with the running test. */
export async function startServer(
  directories: readonly string[],
  options: Partial<ServeOptions> = {},
): Promise<RunningServer> {
  const ending = new AbortController();
  const events: ServeEvent[] = [];
  const waiting = new Set<(event: ServeEvent) => void>();
  const next: RunningServer["next"] = (type) =>
    new Promise((resolve) => {
      const listener = (event: ServeEvent) => {
        if (event.type !== type) return;
        waiting.delete(listener);
        resolve(event as Extract<ServeEvent, { type: typeof type }>);
      };
      waiting.add(listener);
    });
  const report = (event: ServeEvent) => {
    events.push(event);
    for (const listener of waiting) listener(event);
  };
  const listening = next("listening");
  const ended = serve(directories, {
    listen: { host: "127.0.0.1", port: 0 },
    signal: ending.signal,
    reporter: { report },
    ...options,
  });
  const stop = async () => {
    ending.abort();
    return await ended;
  };
  onTestFinished(async () => void (await stop().catch(() => undefined)));
  const failed = ended.then(() => Promise.reject(new Error("the server ended before it listened")));
  failed.catch(() => undefined);
  const { url } = await Promise.race([listening, failed]);
  return { url, events, stop, next };
}

export interface PublishedSnapshot {
  /** Set before the tests of the file. */
  readonly directory: string;
  readonly name: string;
  readonly timestamp: number;
  readonly numPartitions: number;
  readonly bytesOf: (file: string) => Buffer;
  /** Every account, ascending by address within its partition; global accounts first. */
  readonly accounts: () => readonly StoredAccount[];
}

export interface StoredAccount {
  readonly accountId: string;
  readonly data: string;
  readonly hash: string;
  readonly isGlobal: 0 | 1;
  readonly timestamp: number;
}

/** Publishes a snapshot before the tests of a file, and removes it after them. */
export function publishedSnapshot(
  changes: Record<string, unknown> = {},
  compression: "none" | "gzip" = "none",
  makeAccount?: Parameters<typeof snapshotWith>[1],
): PublishedSnapshot {
  const out = makeTemporaryDirectory();
  let directory = "";
  beforeAll(async () => {
    directory = await snapshotWith(out, makeAccount, { globalAccounts: 3, ...changes }, compression);
  });
  afterAll(() => removeDirectory(out));
  const bytesOf = (file: string) => readFileSync(join(directory, file));
  const manifest = () => JSON.parse(bytesOf("export-manifest.json").toString()) as Manifest;
  return {
    get directory() {
      return directory;
    },
    get name() {
      return `snapshot-${manifest().snapshot.timestamp}`;
    },
    get timestamp() {
      return manifest().snapshot.timestamp;
    },
    get numPartitions() {
      return manifest().snapshot.numPartitions;
    },
    bytesOf,
    accounts: () => manifest().artifacts.flatMap(([, file]) => JSON.parse(bytesOf(file).toString())),
  };
}

interface Manifest {
  readonly artifacts: [string, string][];
  readonly snapshot: { readonly timestamp: number; readonly numPartitions: number };
}

/** Makes accounts of 200 KB: a few of them are more than the buffers of a connection hold. */
export const largeAccount: AccountMaker = (random, accountId, timestamp, isGlobal) => {
  const data = { accountType: 5, note: random.hex(8).repeat(3_200) };
  return { accountId, stateId: accountId, data, timestamp: timestamp - 1, syncData: { isGlobal } };
};

/** Requests accounts, and returns them. */
export async function accountsOf(response: Response): Promise<WrappedData[]> {
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { snapshot: WrappedData[] }).snapshot;
}

export function postSnapshot(url: string, body: object | string, init: RequestInit = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${url}/snapshot`, { method: "POST", body: text, ...init });
}
