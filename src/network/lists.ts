/** Reads the node list and the cycle records, from an archiver or from files, and checks who signed them. */

import { readFile, stat } from "node:fs/promises";
import { checkChain } from "../chain/cycle-chain.ts";
import type { SnapshotTime } from "../chain/timestamp.ts";
import { FetchFailure } from "../fetch/fetch-failure.ts";
import type { HttpClient } from "../fetch/http-client.ts";
import { decideRetry } from "../fetch/retry.ts";
import { sleep } from "../fetch/sleep.ts";
import { type CycleRecord, cycleEndMs } from "../model/cycle.ts";
import { Failure, messageOf } from "../model/failure.ts";
import { cycleRecordsMax, listBytesMax, listTimeMaxMs } from "../model/limits.ts";
import { isSignedBy } from "../model/signature.ts";
import { type CycleRecords, parseCycleRecords } from "../wire/cycle-records.ts";
import { type NodeList, parseNodeList } from "../wire/node-list.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import type { ListSources } from "./options.ts";

/** A list, and the bytes that it was read from. */
export type Received<T> = T & { readonly bytes: Buffer };

export interface ListContext {
  readonly client: HttpClient;
  readonly hashKey: string;
  readonly signal?: AbortSignal | undefined;
  readonly warn: (message: string) => void;
}

/** Cycle records that are asked for first: enough for recent snapshots, and a small answer. */
const FIRST_RECORDS = 100;

/** @throws Failure */
export async function readNodeList(sources: ListSources, context: ListContext): Promise<Received<NodeList>> {
  const list = await readList(
    sources.nodes,
    "full-nodelist?activeOnly=true",
    sources,
    context,
    parseNodeList,
  );
  if (list.withoutId > 0) {
    context.warn(
      `${list.withoutId} nodes of the list have no ID and are left out: they have no place in the order`,
    );
  }
  if (list.nodes.length === 0) {
    throw new Failure("configuration", "the node list has no active node", {
      hint: "Check the archiver's address, or the file given with --nodes.",
    });
  }
  return list;
}

/**
 * As many of the newest records as are needed to know the cycle of the given time.
 *
 * @throws Failure
 */
export async function readCycles(
  sources: ListSources,
  time: SnapshotTime,
  context: ListContext,
): Promise<Received<CycleRecords>> {
  const read = (count: number) =>
    readList(sources.cycles, `cycleinfo/${count}`, sources, context, parseCycleRecords);
  let cycles = await read(FIRST_RECORDS);
  if (sources.cycles === undefined) {
    const missing = missingBefore(cycles.records, time);
    if (missing > 0) cycles = await read(Math.min(cycles.records.length + missing, cycleRecordsMax));
  }
  requireUnbroken(cycles.records, context);
  return cycles;
}

/** How many records before the oldest one are needed, and a few to spare. */
function missingBefore(records: readonly CycleRecord[], time: SnapshotTime): number {
  const oldest = records[0];
  if (oldest === undefined || time.kind === "latest") return 0;
  const spare = 2;
  if (time.kind === "cycle") return time.counter < oldest.counter ? oldest.counter - time.counter + spare : 0;
  const beforeMs = cycleEndMs(oldest) - time.timestamp;
  return beforeMs > 0 ? Math.ceil(beforeMs / (oldest.duration * 1000)) + spare : 0;
}

function requireUnbroken(records: readonly CycleRecord[], { hashKey, warn }: ListContext): void {
  const findings = checkChain(records, hashKey);
  const broken = findings.find((finding) => finding.severity === "broken");
  if (broken !== undefined) {
    throw new Failure("verification", `the cycle chain is broken: ${broken.problem}`, {
      hint: "Ask another archiver; check --hash-key if every record is said to be wrong.",
    });
  }
  const [first, ...others] = findings;
  if (first !== undefined) {
    warn(`the cycle chain: ${first.problem}${others.length > 0 ? `, and ${others.length} more gaps` : ""}`);
  }
}

async function readList<T extends { received: unknown }>(
  file: string | undefined,
  path: string,
  sources: ListSources,
  context: ListContext,
  parse: (received: unknown, source: string) => T,
): Promise<Received<T>> {
  const isFile = file !== undefined;
  const source = file ?? `${archiverBase(sources)}/${path}`;
  const bytes = isFile ? await readListFile(file) : await fetchList(source, context);
  let list: T;
  try {
    list = parse(parseJson(bytes.toString("utf8"), source), source);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const hint = isFile ? "Correct the file." : "Check that --archiver is the address of an archiver.";
    throw new Failure("configuration", error.message, { cause: error, hint });
  }
  requireSigned(list.received, source, isFile, sources.archiverKey, context);
  return { ...list, bytes };
}

function archiverBase({ archiver }: ListSources): string {
  if (archiver === undefined) {
    throw new Failure("usage", "neither an archiver nor files are given", {
      hint: "Give --archiver <url>, or both --nodes <file> and --cycles <file>.",
    });
  }
  return archiver.replace(/\/+$/, "");
}

async function readListFile(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > listBytesMax) throw new Error(`it has ${size} bytes, more than ${listBytesMax}`);
    return await readFile(file);
  } catch (error) {
    throw new Failure("configuration", `cannot read ${file}: ${messageOf(error)}`, {
      cause: error,
      hint: "Give the path of a readable file.",
    });
  }
}

async function fetchList(url: string, { client, signal }: ListContext): Promise<Buffer> {
  for (let failures = 1; ; failures++) {
    try {
      return await client.whole({ url, signal, deadlineMs: listTimeMaxMs }, listBytesMax);
    } catch (error) {
      if (!(error instanceof FetchFailure) || error.kind === "aborted") throw error;
      const decision = decideRetry(error, failures, Math.random());
      if (!decision.retry) throw archiverFailure(url, error);
      await sleep(decision.delayMs, signal);
    }
  }
}

function archiverFailure(url: string, error: FetchFailure): Failure {
  const isSpeakingHttp = error.kind === "status" && error.status !== undefined && error.status < 500;
  const isWrongServer = isSpeakingHttp || error.kind === "redirect" || error.kind === "too-large";
  const options = { cause: error };
  if (isWrongServer && error.status !== 429 && error.status !== 425) {
    const hint = "Check that --archiver is the address of an archiver.";
    return new Failure("configuration", `the archiver's answer to ${url}: ${error.message}`, {
      ...options,
      hint,
    });
  }
  const hint = "Try again later, or ask another archiver with --archiver.";
  return new Failure("temporary", `the archiver cannot be reached at ${url}: ${error.message}`, {
    ...options,
    hint,
  });
}

function requireSigned(
  received: unknown,
  source: string,
  isFile: boolean,
  archiverKey: string | undefined,
  { hashKey, warn }: ListContext,
): void {
  const { sign } = received as { sign?: { owner?: unknown } | null };
  if (sign === undefined || sign === null) {
    if (archiverKey !== undefined) throw unsigned(`${source} is not signed, but --archiver-key is given`);
    if (!isFile) warn(`${source} is not signed by the archiver`);
    return;
  }
  if (!isSignedBy(received, hashKey)) throw unsigned(`${source}: the signature does not hold`);
  if (archiverKey !== undefined && sign.owner !== archiverKey) {
    throw unsigned(`${source} is signed by ${String(sign.owner)}, not by the archiver's key ${archiverKey}`);
  }
}

function unsigned(problem: string): Failure {
  return new Failure("verification", problem, {
    hint: "Make sure that --archiver-key and --hash-key are right, and ask another archiver.",
  });
}
