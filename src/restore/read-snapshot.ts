/** Reads what a restore needs of a snapshot that was verified. */

import { join } from "node:path";
import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { CYCLES_FILE, parseCycleRecords } from "../format/evidence/cycles.ts";
import { TX_LIST_FILE } from "../format/evidence/tx-list.ts";
import { fileBytesMax } from "../format/file-bounds.ts";
import { canonicalTextOf } from "../protocol/crypto/canonical-text.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { statsOf } from "../store/own-files.ts";
import { SnapshotDirectory } from "../store/snapshot-directory.ts";
import { readStatedState } from "../store/stated-state.ts";
import { parseJson } from "../wire/parse.ts";
import type { AgreedState } from "./archiver/read-accounts-back.ts";

/** A verified snapshot. */
export interface VerifiedSnapshot {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly accounts: number;
  /** Paths of the artifacts, in order of partition. */
  readonly artifacts: readonly string[];
  readonly agreed: AgreedState;
  /** The network's list of transactions; null if the evidence has none. */
  readonly txList: TxList | null;
}

export interface TxList {
  readonly path: string;
  /** The hash that cycle records have. */
  readonly hash: string;
}

/**
 * @param verifiedDigest the digest that the verification found
 * @throws SnapshotError `verification` if the snapshot is no longer the one that was verified
 */
export async function readSnapshot(directory: string, verifiedDigest: string): Promise<VerifiedSnapshot> {
  const reader = new SnapshotDirectory(directory);
  try {
    const { manifest, hashKey, hashes } = await readStatedState(reader, verifiedDigest);
    const { artifacts, blockHeight, snapshot } = manifest;
    const { numPartitions, timestamp, accounts, networkHash } = snapshot;
    return {
      timestamp,
      accounts,
      artifacts: artifacts.map(([, file]) => join(directory, file)),
      txList: await readTxList(reader, numPartitions, hashKey),
      agreed: { hashKey, cycle: blockHeight, networkHash, hashes: [...hashes] },
    };
  } catch (error) {
    throw changed(directory, error);
  }
}

async function readTxList(
  reader: SnapshotDirectory,
  partitions: number,
  hashKey: string,
): Promise<TxList | null> {
  const path = join(reader.directory, TX_LIST_FILE);
  if ((await statsOf(path)) === undefined) return null;
  const text = (await reader.readBytes(TX_LIST_FILE, fileBytesMax(TX_LIST_FILE, partitions))).toString(
    "utf8",
  );
  return { path, hash: hashText(canonicalTextOf(parseJson(text, TX_LIST_FILE)), hashKey) };
}

/**
 * Returns the record of the cycle after the snapshot's, as received; null if the evidence has none.
 *
 * @throws SnapshotError `verification` if the records cannot be read
 */
export async function readNextRecord(
  directory: string,
  { agreed }: VerifiedSnapshot,
): Promise<Readonly<Record<string, unknown>> | null> {
  const reader = new SnapshotDirectory(directory);
  try {
    const bytes = await reader.readBytes(CYCLES_FILE, fileBytesMax(CYCLES_FILE, agreed.hashes.length - 1));
    const { records } = parseCycleRecords(parseJson(bytes.toString("utf8"), CYCLES_FILE), CYCLES_FILE);
    return records.find(({ counter }) => counter === agreed.cycle + 1)?.received ?? null;
  } catch (error) {
    throw changed(directory, error);
  }
}

function changed(directory: string, error: unknown): SnapshotError {
  return new SnapshotError(
    "verification",
    `${directory} changed after it was verified: ${messageOf(error)}`,
    {
      cause: error,
      hint: "Find out what writes to the directory, and run again.",
    },
  );
}
