/**
 * Reads the list of archivers, whom a restarted network asks for its state. A snapshot is right without it.
 */

import { FetchError } from "../errors/fetch-error.ts";
import { archiverListBytesMax, archiverListTimeMaxMs } from "../limits/network.ts";
import { archiverListHashOf } from "../protocol/archiver-list.ts";
import { signerOf, signOf } from "../protocol/crypto/signature.ts";
import type { CycleRecord } from "../protocol/cycle-record.ts";
import { parseArchiverList } from "../wire/archiver-list.ts";
import { parseJson } from "../wire/parse.ts";
import { archiverUrl, fetchWhole, type ListContext } from "./list-source.ts";
import type { ListSources } from "./network-options.ts";

const PATH = "archivers";
const STATUS_NOT_FOUND = 404;

/**
 * Returns the list as received. A list that cannot be kept is a warning. There is none if an archiver does not know the
 * path, and the cycle records name no list either.
 *
 * @param records ascending
 * @returns `undefined` also if there is no archiver
 */
export async function readArchivers(
  sources: ListSources,
  records: readonly CycleRecord[],
  context: ListContext,
): Promise<Buffer | undefined> {
  if (sources.archiver === undefined) return undefined;
  const newest = records.at(-1);
  const isRecorded = newest !== undefined && archiverListHashOf(newest) !== undefined;
  try {
    const url = archiverUrl(sources, PATH);
    const bytes = await fetchWhole(url, archiverListBytesMax, context, archiverListTimeMaxMs);
    const problem = problemOf(bytes, sources.archiverKey, context.hashKey);
    if (problem === undefined) return bytes;
    context.warn(`${PATH}: ${problem}: ${CONSEQUENCE}`);
  } catch (error) {
    context.signal?.throwIfAborted();
    if (!(error instanceof Error)) throw error;
    const isUnknown = error instanceof FetchError && error.status === STATUS_NOT_FOUND;
    if (isUnknown && !isRecorded) return undefined;
    const cause = error instanceof FetchError ? error.message : `${PATH}: ${error.message}`;
    context.warn(`the archiver gives no list of ${PATH} (${cause}): ${CONSEQUENCE}`);
  }
  return undefined;
}

/** Returns whether a list, as received, can be parsed, and has no invalid signature. */
export function isArchiverList(bytes: Buffer, hashKey: string): boolean {
  try {
    return problemOf(bytes, undefined, hashKey) === undefined;
  } catch {
    return false;
  }
}

/** @throws WireError */
function problemOf(bytes: Buffer, archiverKey: string | undefined, hashKey: string): string | undefined {
  const { received } = parseArchiverList(parseJson(bytes.toString("utf8"), PATH), PATH);
  if (typeof received !== "object" || received === null) return undefined;
  const isSigned = "sign" in received && received.sign !== null;
  if (!isSigned)
    return archiverKey === undefined ? undefined : "it is not signed, but --archiver-key is given";
  if (signerOf(received, hashKey) === undefined) return "its signature is invalid";
  if (archiverKey === undefined || signOf(received)?.owner === archiverKey) return undefined;
  return `it is not signed by the archiver's key ${archiverKey}`;
}

const CONSEQUENCE = "the snapshot is right, but does not say which archivers a restarted network can ask";
