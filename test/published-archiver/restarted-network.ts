/** A network that has shut down, and begins again around the published archiver, up to the mode `restore`. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Database from "libsql";
import { onTestFinished } from "vitest";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { cycleMarker } from "../../src/protocol/cycle-record.ts";
import { joinedConsensor, type NodeLife, type StoredRecord } from "./core-records.ts";
import {
  type ArchiverHome,
  installation,
  secretKeyOf,
  startPublishedArchiver,
} from "./published-archiver.ts";

export interface RestartedNetwork {
  /** The URL of the archiver. */
  readonly archiver: string;
  /** Its answer to the first validator's `POST /nodelist`. */
  readonly firstAnswer: Readonly<Record<string, unknown>>;
  /** Its answer to `GET /network-txs-list`. */
  readonly txListHash: string;
  readonly shutdown: StoredRecord;
}

const recordWaitMs = 20_000;
const pollMs = 50;

/**
 * Starts the archiver of a network that was shut down, and its first validator, and brings the network to the mode
 * `restore` with all nodes syncing.
 */
export async function restartNetwork(
  home: ArchiverHome,
  archiver: NodeLife["identity"],
  nodes: readonly NodeLife[],
): Promise<RestartedNetwork> {
  const shutdown = newestRecord(home);
  const url = await startPublishedArchiver(home, archiver);
  const [first] = nodes;
  if (first === undefined) throw new Error("a network has at least one node");
  const { child, answer } = await startFirstNode(url, archiver.publicKey, first);
  const txList: unknown = await (await fetch(`${url}/network-txs-list`)).json();
  const restart = recordAfter(shutdown, "restart", nodes);
  const restore = recordAfter(restart, "restore", []);
  for (const record of [restart, restore]) {
    // A network without active nodes has nobody to certify its records.
    child.stdin?.write(`${JSON.stringify([{ ...record, certificates: [] }])}\n`);
    await newestIs(url, record);
  }
  return { archiver: url, firstAnswer: answer, txListHash: hashText(canonicalTextOf(txList)), shutdown };
}

function newestRecord({ databases }: ArchiverHome): StoredRecord {
  const database = new Database(`${databases}/cycles.sqlite3`, { readonly: true });
  const row = database.prepare("SELECT cycleRecord FROM cycles ORDER BY counter DESC LIMIT 1").get([]);
  database.close();
  return JSON.parse((row as { cycleRecord: string }).cycleRecord);
}

async function startFirstNode(
  archiver: string,
  archiverKey: string,
  { identity }: NodeLife,
): Promise<{ child: ChildProcess; answer: Record<string, unknown> }> {
  const { publicKey } = identity;
  const own = { directory: installation, archiver, archiverKey, publicKey, hashKey: DEFAULT_HASH_KEY };
  const settings = JSON.stringify({ ...own, secretKey: secretKeyOf(identity) });
  const path = fileURLToPath(new URL("./first-node.cjs", import.meta.url));
  const child = spawn(process.execPath, [path, settings], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(async () => {
    const ended = once(child, "close");
    child.kill("SIGKILL");
    await ended;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  if (value === undefined) throw new Error("the first node ended");
  return { child, answer: JSON.parse(value) };
}

/** The record after another one, in which nodes have joined. */
function recordAfter(before: StoredRecord, mode: string, joined: readonly NodeLife[]): StoredRecord {
  const { marker: previous, archiversAtShutdown: _, ...rest } = before;
  const { counter, start, duration, syncing } = rest as unknown as Record<
    "counter" | "start" | "duration" | "syncing",
    number
  >;
  const record = {
    ...rest,
    counter: counter + 1,
    mode,
    previous,
    start: start + duration,
    removed: [],
    joinedConsensors: joined.map((life) => joinedConsensor(life)),
    syncing: syncing + joined.length,
  };
  return { ...record, marker: cycleMarker(record) };
}

async function newestIs(url: string, { counter, mode }: StoredRecord): Promise<void> {
  const end = Date.now() + recordWaitMs;
  for (;;) {
    const { cycleInfo } = (await (await fetch(`${url}/cycleinfo/1`)).json()) as {
      cycleInfo?: StoredRecord[];
    };
    if (cycleInfo?.[0]?.counter === counter) return;
    if (Date.now() > end) throw new Error(`the archiver has not taken the record of mode ${mode}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
