/** Servers of given accounts, in front of an archiver whose mode and nodes a test sets. */

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { artifactFile, type Compression } from "../../../src/format/artifact.ts";
import { accountCopyText, isGlobalAccount, type WrappedData } from "../../../src/protocol/account-copy.ts";
import { asCycle, asHashHex, type HashHex, type Partition } from "../../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../../src/protocol/crypto/hash.ts";
import { ownerOf, signed } from "../../../src/protocol/crypto/signature.ts";
import { allPartitions, GLOBAL_PARTITION, makeShard, partitionOf } from "../../../src/protocol/shard.ts";
import { indexedSnapshot, RestoreService } from "../../../src/serve/archiver/restore-service.ts";
import { identityOf } from "../../../src/serve/file-identity.ts";
import { ensureIndex } from "../../../src/serve/index/ensure-index.ts";
import { ServedSnapshot } from "../../../src/serve/served-snapshot.ts";
import { SigningKey } from "../../../src/serve/signing-key.ts";
import { SnapshotServer } from "../../../src/serve/snapshot-server.ts";
import { UpstreamNetwork } from "../../../src/serve/upstream/network-state.ts";
import { passThrough } from "../../../src/serve/upstream/pass-through.ts";
import { httpServer } from "../../helpers/servers.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";

const shard = makeShard({ numNodes: 9, nodesPerConsensusGroup: 3 });

/** Writes the artifacts of a snapshot of accounts, and returns it as a server has it. */
export async function snapshotOf(
  accounts: readonly WrappedData[],
  compression: Compression = "none",
): Promise<ServedSnapshot> {
  const name = "snapshot-1700000000000";
  const directory = join(temporaryDirectory(), name);
  mkdirSync(directory);
  const files = allPartitions(shard).map((partition) => {
    const file = artifactFile(partition, compression);
    const text = `[${copiesOf(accounts, partition).join(",")}]`;
    writeFileSync(join(directory, file), compression === "none" ? text : gzip(text));
    return [partition, file, hashText(text)] as const;
  });
  const parts = files.map(async ([, file, hash]) => {
    return {
      directory,
      name: file,
      hash: asHashHex(hash),
      identity: await identityOf(join(directory, file)),
    };
  });
  const partitions = new Map<Partition, HashHex>(
    files.map(([partition, , hash]) => [partition, asHashHex(hash)]),
  );
  const agreed = { networkHash: asHashHex(hashText(name)), hashKey: DEFAULT_HASH_KEY, partitions };
  const facts = {
    ...{ name, directory, timestamp: 1_700_000_000_000, cycle: asCycle(7), numPartitions: shard.numNodes },
    ...{ digest: hashText(JSON.stringify(files)), agreed, size: { accounts: accounts.length, bytes: 0 } },
  };
  return new ServedSnapshot({
    facts,
    files: await Promise.all(parts),
    artifacts: files.map(([partition, file]) => [partition, file]),
  });
}

function copiesOf(accounts: readonly WrappedData[], partition: Partition): string[] {
  return accounts
    .filter((account) => placeOf(account) === partition)
    .sort((a, b) => (a.accountId < b.accountId ? -1 : 1))
    .map(accountCopyText);
}

function placeOf(account: WrappedData): Partition {
  return isGlobalAccount(account) ? GLOBAL_PARTITION : partitionOf(shard, account.accountId);
}

/** As this program writes it: the operating system is unknown. */
function gzip(text: string): Buffer {
  const bytes = gzipSync(text, { level: 6 });
  bytes[9] = 0xff;
  return bytes;
}

export interface Node {
  readonly key: KeyObject;
  readonly publicKey: string;
}

export function makeNode(): Node {
  const key = generateKeyPairSync("ed25519").privateKey;
  return { key, publicKey: ownerOf(key) };
}

/** What the archiver behind a server says. */
export interface UpstreamState {
  mode: string;
  active: string[];
  syncing: string[];
  durationSeconds: number;
  /** How it answers: as an archiver, with an error, or not at all. */
  behaviour: "answers" | "fails" | "hangs";
}

export interface UpstreamStandIn {
  readonly url: string;
  readonly state: UpstreamState;
  /** The paths that were requested. */
  readonly requested: string[];
}

/** Starts an archiver's stand-in for the running test. */
export async function startUpstream(changes: Partial<UpstreamState> = {}): Promise<UpstreamStandIn> {
  const state: UpstreamState = {
    ...{ mode: "restore", active: [], syncing: [], durationSeconds: 60, behaviour: "answers" },
    ...changes,
  };
  const requested: string[] = [];
  const url = await httpServer((request, response) => {
    requested.push(request.url ?? "");
    if (state.behaviour === "hangs") return;
    if (state.behaviour === "fails") {
      response.writeHead(500).end();
      return;
    }
    const answers: Record<string, unknown> = {
      "/cycleinfo/1": { cycleInfo: [{ counter: 9, mode: state.mode, duration: state.durationSeconds }] },
      "/full-nodelist?activeOnly=true": { nodeList: rowsOf(state.active) },
      "/full-nodelist?syncingOnly=true": { nodeList: rowsOf(state.syncing) },
    };
    const answer = answers[request.url ?? ""];
    const bytes = JSON.stringify(answer ?? { message: "not here" });
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" }).end(bytes);
  });
  return { url, state, requested };
}

function rowsOf(keys: readonly string[]) {
  return keys.map((publicKey) => ({ id: publicKey, ip: "127.0.0.1", port: 1, publicKey }));
}

export interface RestoringServer {
  readonly url: string;
  readonly lines: string[];
  readonly warnings: string[];
  readonly snapshot: ServedSnapshot;
}

export interface RestoringOptions {
  readonly upstream: string;
  readonly maxValidators?: number;
  readonly bytesPerSecond?: number;
  readonly now?: () => number;
}

/** Serves a snapshot to restarting validators, until the running test ends. */
export async function serveTo(snapshot: ServedSnapshot, options: RestoringOptions): Promise<RestoringServer> {
  const lines: string[] = [];
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const index = await ensureIndex({ directory: snapshot.facts.directory }, indexedSnapshot(snapshot));
  const network = new UpstreamNetwork(options.upstream, warn);
  const service = new RestoreService({
    ...{ snapshot, index, network, warn, key: SigningKey.fresh() },
    maxValidators: options.maxValidators,
    bytesPerSecond: options.bytesPerSecond,
    ...(options.now && { now: options.now }),
    log: (line) => void lines.push(line),
  });
  await network.start();
  const server = new SnapshotServer(warn);
  service.register(server);
  server.register(passThrough, { upstream: options.upstream });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    await server.close(0);
    await network.close();
    await service.close();
  });
  return { url, lines, warnings, snapshot };
}

export interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

/** Sends a JSON value, or a text as it is. */
export async function post(url: string, path: string, body: unknown): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const contentType = response.headers.get("content-type");
  return { status: response.status, contentType, text: await response.text() };
}

export const wholeRange = { accountStart: "0".repeat(64), accountEnd: "f".repeat(64) };

export const firstPage = { ...wholeRange, tsStart: 0, maxRecords: 200, offset: 0, accountOffset: "" };

/** Returns a request for accounts as a node signs it. */
export function signedBy<T extends object>({ key }: Node, request: T): T {
  return signed(request, key);
}
