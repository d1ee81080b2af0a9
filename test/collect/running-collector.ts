/** A collector in this process, for the running test. */

import { join } from "node:path";
import { onTestFinished } from "vitest";
import { collect } from "../../src/app/collect.ts";
import type { CollectOptions } from "../../src/collect/options.ts";
import type { CollectEvent } from "../../src/collect/reporter.ts";
import type { CollectStatus } from "../../src/collect/status.ts";
import { HashDatabase } from "../../src/store/hash-database/hash-database.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { settings, type TestNetwork } from "./test-network.ts";

export interface RunningCollector {
  readonly url: string;
  readonly database: string;
  readonly events: readonly CollectEvent[];
  post(body: string | object): Promise<{ status: number; body: Record<string, unknown> }>;
  get(path: string): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Waits for an event of that kind that meets the condition. */
  until<T extends CollectEvent["type"]>(
    type: T,
    is?: (event: Extract<CollectEvent, { type: T }>) => boolean,
  ): Promise<Extract<CollectEvent, { type: T }>>;
  stop(): Promise<CollectStatus>;
}

export function collectOptions(network: TestNetwork, changes: Partial<CollectOptions> = {}): CollectOptions {
  return {
    archiver: network.archiver,
    ...settings,
    listen: { host: "127.0.0.1", port: 0 },
    database: join(temporaryDirectory(), "hashes.sqlite"),
    // By default, a collector polls only once, at the start.
    pollMs: 3_600_000,
    signal: new AbortController().signal,
    ...changes,
  };
}

export async function startCollector(
  network: TestNetwork,
  changes: Partial<CollectOptions> = {},
): Promise<RunningCollector> {
  const ending = new AbortController();
  const events: CollectEvent[] = [];
  const watchers = new Set<() => void>();
  const reporter = {
    report: (event: CollectEvent) => {
      events.push(event);
      for (const watcher of watchers) watcher();
    },
  };
  const options = collectOptions(network, { signal: ending.signal, reporter, ...changes });
  const running = collect(options);
  const stop = () => {
    ending.abort();
    return running;
  };
  onTestFinished(() => void stop().catch(() => undefined));
  const collector: RunningCollector = {
    url: "",
    database: options.database,
    events,
    post: async (body) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return responseOf(await fetch(`${collector.url}/partition-gossip`, { method: "POST", body: text }));
    },
    get: async (path) => responseOf(await fetch(collector.url + path)),
    until: (type, is = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = events.find((event) => event.type === type && is(event as never));
          if (found === undefined) return;
          watchers.delete(look);
          resolve(found as never);
        };
        watchers.add(look);
        look();
      }),
    stop,
  };
  const listening = await Promise.race([
    collector.until("listening"),
    running.then(() => {
      throw new Error("the collector ended before it listened");
    }),
  ]);
  return Object.assign(collector, { url: listening.url });
}

/** Reads from a database while or after a collector writes to it. */
export function inDatabase<T>(path: string, read: (database: HashDatabase) => T): T {
  const database = HashDatabase.open(path, { mustExist: true });
  try {
    return read(database);
  } finally {
    database.close();
  }
}

async function responseOf(response: Response) {
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
