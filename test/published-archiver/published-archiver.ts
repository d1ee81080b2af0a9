/** The published archiver in a process of its own, on loopback, with a history in its database. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import Database from "libsql";
import { onTestFinished } from "vitest";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import type { Identity } from "../../src/testnet/validator/identity.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import type { StoredRecord } from "./core-records.ts";

const cacheHome = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");

/** The directory of `install.sh`. */
export const installation =
  process.env["PUBLISHED_ARCHIVER"] ?? join(cacheHome, "snapshot-assemble", "published-archiver-3.7.7");

export const server = join(installation, "node_modules/@shardeum-foundation/archiver/build/server.js");
const binding = join(installation, "node_modules/sqlite3/build/Release/node_sqlite3.node");

/** The reason to skip its tests, for their names; `undefined` where the archiver is installed. */
export const missing =
  existsSync(server) && existsSync(binding)
    ? undefined
    : `skipped: run test/published-archiver/install.sh, which installs it in ${installation}`;

const startTimeoutMs = 45_000;

/** Starts an archiver with a history, which ends with the test. Returns its URL. */
export async function publishedArchiver(
  identity: Identity,
  records: readonly StoredRecord[],
): Promise<string> {
  const home = await archiverHome(records);
  return await startPublishedArchiver(home, identity, { passiveMode: "true" });
}

/** The directory in which an archiver starts, with that of its databases. */
export interface ArchiverHome {
  readonly cwd: string;
  readonly databases: string;
}

/** Makes the directories of a stopped archiver that has the records. */
export async function archiverHome(records: readonly StoredRecord[]): Promise<ArchiverHome> {
  const cwd = temporaryDirectory();
  const databases = join(cwd, "archiver-db");
  await mkdir(databases);
  storeRecords(join(databases, "cycles.sqlite3"), records);
  return { cwd, databases };
}

/** Starts a stopped archiver, which ends with the test. Returns its URL. */
export async function startPublishedArchiver(
  { cwd }: ArchiverHome,
  identity: Identity,
  settings: NodeJS.ProcessEnv = {},
): Promise<string> {
  const preload = fileURLToPath(new URL("./preload.cjs", import.meta.url));
  const archiver = spawn(process.execPath, ["-r", preload, server], {
    cwd,
    env: { ...environment(identity), ...settings },
    // It ends when its stdin closes: with this process at the latest.
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => archiver.once("close", () => resolve()));
  onTestFinished(async () => {
    archiver.kill("SIGKILL");
    await ended;
  });
  let said = "";
  for (const stream of [archiver.stdout, archiver.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4000);
    });
  }
  const lines = createInterface({ input: archiver.stdio[3] as Readable })[Symbol.asyncIterator]();
  const failed = (why: string) => new Error(`the published archiver ${why}:\n${said}`);
  const timer = new AbortController();
  const late = new Promise<never>((_, reject) => {
    const timeout = setTimeout(() => reject(failed("did not start")), startTimeoutMs);
    timer.signal.addEventListener("abort", () => clearTimeout(timeout));
  });
  try {
    const { value: port } = await Promise.race([lines.next(), late]);
    if (port === undefined) throw failed("ended");
    return `http://127.0.0.1:${port}`;
  } finally {
    timer.abort();
  }
}

/** The key as the network's own libraries have it: the seed and the public key. */
export function secretKeyOf({ publicKey, privateKey }: Identity): string {
  const seed = Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  return `${seed.toString("hex")}${publicKey}`;
}

function environment(identity: Identity): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return {
    PATH,
    HOME,
    ARCHIVER_IP: "127.0.0.1",
    ARCHIVER_PORT: "0",
    ARCHIVER_PUBLIC_KEY: identity.publicKey,
    ARCHIVER_SECRET_KEY: secretKeyOf(identity),
    dataLogWrite: "false",
    // No part of it may connect to an outside network.
    ARCHIVER_INFO: "",
  };
}

/** Its own schema (dbstore/index.js), filled as its own code fills it: records are canonical text. */
function storeRecords(path: string, records: readonly StoredRecord[]): void {
  const database = new Database(path);
  database.exec(
    "CREATE TABLE `cycles` (`cycleMarker` TEXT NOT NULL UNIQUE PRIMARY KEY, `counter` NUMBER NOT NULL, `cycleRecord` JSON NOT NULL);" +
      "CREATE INDEX `cycles_idx` ON `cycles` (`counter` ASC);",
  );
  const insert = database.prepare("INSERT INTO cycles (cycleMarker, counter, cycleRecord) VALUES (?, ?, ?)");
  for (const record of records) insert.run(record.marker, record.counter, canonicalTextOf(record));
  database.close();
}
