/**
 * Reads the network's list of transactions (PROTOCOL.md, Cycle records). A network that restarts from its archivers needs
 * it; a snapshot is right without it.
 */

import { FetchError } from "../errors/fetch-error.ts";
import { txListBytesMax, txListTimeMaxMs } from "../limits/network.ts";
import type { HashHex } from "../protocol/brands.ts";
import { canonicalTextOf } from "../protocol/crypto/canonical-text.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { type CycleRecord, txListHashOf } from "../protocol/cycle-record.ts";
import { parseJson } from "../wire/parse.ts";
import { archiverUrl, fetchWhole, type ListContext } from "./list-source.ts";
import type { ListSources } from "./network-options.ts";

const PATH = "network-txs-list";

/**
 * Returns the list as received, if its hash is in a record. A list that cannot be kept is a warning.
 *
 * @param records ascending
 * @returns `undefined` also if the newest record has no hash of a list, or there is no archiver
 */
export async function readTxList(
  sources: ListSources,
  records: readonly CycleRecord[],
  context: ListContext,
): Promise<Buffer | undefined> {
  const newest = records.at(-1);
  if (sources.archiver === undefined || newest === undefined || txListHashOf(newest) === undefined)
    return undefined;
  try {
    const bytes = await fetchWhole(archiverUrl(sources, PATH), txListBytesMax, context, txListTimeMaxMs);
    const hash = hashOf(bytes, context.hashKey);
    // The list may have changed since the records were read: then an older record has its hash.
    if (isNamed(hash, records)) return bytes;
    context.warn(`${PATH} hashes to ${hash}, which is in no cycle record read: ${CONSEQUENCE}`);
  } catch (error) {
    context.signal?.throwIfAborted();
    if (!(error instanceof Error)) throw error;
    const cause = error instanceof FetchError ? error.message : `${PATH}: ${error.message}`;
    context.warn(`the archiver gives no ${PATH} (${cause}): ${CONSEQUENCE}`);
  }
  return undefined;
}

/** Returns whether a record has the hash of a list, as received. */
export function isRecordedTxList(bytes: Buffer, records: readonly CycleRecord[], hashKey: string): boolean {
  try {
    return isNamed(hashOf(bytes, hashKey), records);
  } catch {
    return false;
  }
}

function hashOf(bytes: Buffer, hashKey: string): HashHex {
  return hashText(canonicalTextOf(parseJson(bytes.toString("utf8"), PATH)), hashKey);
}

function isNamed(hash: HashHex, records: readonly CycleRecord[]): boolean {
  return records.some((record) => txListHashOf(record) === hash);
}

const CONSEQUENCE = "the snapshot is right, but a network cannot be restarted from it alone";
