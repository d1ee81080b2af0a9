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
const directory =
  process.env["PUBLISHED_ARCHIVER"] ?? join(cacheHome, "snapshot-assemble", "published-archiver-3.7.7");

const server = join(directory, "node_modules/@shardeum-foundation/archiver/build/server.js");
const binding = join(directory, "node_modules/sqlite3/build/Release/node_sqlite3.node");

/** The reason to skip its tests, for their names; `undefined` where the archiver is installed. */
export const missing =
  existsSync(server) && existsSync(binding)
    ? undefined
    : `skipped: run test/published-archiver/install.sh, which installs it in ${directory}`;

const startTimeoutMs = 45_000;

/** Starts an archiver that ends with the test. Returns its URL. */
export async function publishedArchiver(
  identity: Identity,
  records: readonly StoredRecord[],
): Promise<string> {
  const cwd = temporaryDirectory();
  await mkdir(join(cwd, "archiver-db"));
  storeRecords(join(cwd, "archiver-db", "cycles.sqlite3"), records);
  const preload = fileURLToPath(new URL("./preload.cjs", import.meta.url));
  const archiver = spawn(process.execPath, ["-r", preload, server], {
    cwd,
    env: environment(identity),
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

function environment({ publicKey, privateKey }: Identity): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  const seed = Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  return {
    PATH,
    HOME,
    ARCHIVER_IP: "127.0.0.1",
    ARCHIVER_PORT: "0",
    ARCHIVER_PUBLIC_KEY: publicKey,
    ARCHIVER_SECRET_KEY: `${seed.toString("hex")}${publicKey}`,
    passiveMode: "true",
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
