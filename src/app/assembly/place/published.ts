/**
 * The snapshot that is already published. If it is right, the run is done. If it is damaged, the run reuses its intact
 * files.
 */

import { join } from "node:path";
import type { GivenGossip } from "../../../agreement/given-gossip.ts";
import type { Quorum } from "../../../agreement/vote-tally.ts";
import { diskError, isReadError, SnapshotError } from "../../../errors/snapshot-error.ts";
import type { DamagedFile } from "../../../events/assemble-events.ts";
import { ARCHIVERS_FILE } from "../../../format/evidence/archivers.ts";
import { GOSSIP_FILE } from "../../../format/evidence/gossip.ts";
import { NETCONFIG_FILE } from "../../../format/evidence/netconfig.ts";
import { TX_LIST_FILE } from "../../../format/evidence/tx-list.ts";
import { EXPORT_DATA_FILE, type ExportData, exportDataDigest } from "../../../format/export-data.ts";
import { fileBytesMax } from "../../../format/file-bounds.ts";
import { MANIFEST_FILE } from "../../../format/manifest.ts";
import type { FileHashes } from "../../../format/run-record.ts";
import { RUN_FILE, readRunRecord } from "../../../format/run-record.ts";
import { archiverListBytesMax, netconfigBytesMax, txListBytesMax } from "../../../limits/network.ts";
import { RunningHash } from "../../../protocol/crypto/hash.ts";
import { isOwnFile, statsOf } from "../../../store/own-files.ts";
import { SnapshotDirectory } from "../../../store/snapshot-directory.ts";
import { isPublished, publishedPath, type SnapshotLocation } from "../../../store/snapshot-place.ts";
import { checkSnapshot } from "../../../verify/check-snapshot.ts";
import type { Finding, Findings } from "../../../verify/findings/findings.ts";
import { GossipFile } from "../gossip-file.ts";

export type Published =
  | { readonly state: "none" }
  | { readonly state: "right"; readonly findings: Findings }
  | { readonly state: "damaged"; readonly damage: readonly DamagedFile[]; readonly omitted: number };

export interface PublishedOptions {
  /** The rule by which votes are counted. */
  readonly quorum?: Quorum | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks the published snapshot in full, against the data that the validators agreed on.
 *
 * @throws SnapshotError `disk` if it belongs to another user, who could change it later, or cannot be read
 */
export async function findPublished(
  out: string,
  data: ExportData,
  { quorum, signal }: PublishedOptions = {},
): Promise<Published> {
  const spot = { out, timestamp: data.timestamp };
  if (!(await isPublished(spot))) return { state: "none" };
  let findings: Findings;
  try {
    findings = await checkSnapshot(publishedPath(spot), { quorum, signal });
  } catch (error) {
    if (!(error instanceof SnapshotError) || error.code !== "no-such-snapshot") throw error;
    return {
      state: "damaged",
      damage: [{ file: MANIFEST_FILE, problem: "the file is missing" }],
      omitted: 0,
    };
  }
  const digest = exportDataDigest(data);
  if (!findings.ok)
    return {
      state: "damaged",
      damage: findings.findings.map(damagedFile),
      omitted: findings.findingsOmitted,
    };
  if (findings.digest === digest) return { state: "right", findings };
  const problem = `its digest is ${findings.digest}, but the digest of the agreed data is ${digest}`;
  return { state: "damaged", damage: [{ file: EXPORT_DATA_FILE, problem }], omitted: 0 };
}

interface KeyedSpot extends SnapshotLocation {
  readonly hashKey: string;
}

/** Returns the hashes in `run.json`; none if it is damaged, which the check of the snapshot reports. */
export async function publishedHashes(spot: KeyedSpot, numPartitions: number): Promise<FileHashes> {
  const path = publishedPath(spot);
  const reader = new SnapshotDirectory(path);
  try {
    const bytes = await reader.readBytes(RUN_FILE, fileBytesMax(RUN_FILE, numPartitions));
    return readRunRecord(bytes.toString("utf8"), spot.hashKey);
  } catch {
    reader.requireRead();
    return {};
  }
}

/** Returns the `/netconfig` response in the evidence, which proves as much as a new response. */
export function publishedNetconfig(
  spot: SnapshotLocation,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  return publishedFile(spot, NETCONFIG_FILE, netconfigBytesMax, signal);
}

/** Returns the network's list of transactions in the evidence, about which nothing is known. */
export function publishedTxList(spot: SnapshotLocation, signal?: AbortSignal): Promise<Buffer | undefined> {
  return publishedFile(spot, TX_LIST_FILE, txListBytesMax, signal);
}

/** Returns the list of archivers in the evidence, about which nothing is known. */
export function publishedArchivers(
  spot: SnapshotLocation,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  return publishedFile(spot, ARCHIVERS_FILE, archiverListBytesMax, signal);
}

async function publishedFile(
  spot: SnapshotLocation,
  file: string,
  bytesMax: number,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  if (!(await isPublished(spot))) return undefined;
  const reader = new SnapshotDirectory(publishedPath(spot), signal);
  try {
    return await reader.readBytes(file, bytesMax);
  } catch {
    reader.requireRead();
    return undefined;
  }
}

/**
 * Returns the votes in the evidence of a published snapshot, since validators keep theirs for a limited time. Only
 * their signatures make them count. The check of the snapshot reports votes that cannot be read.
 */
export async function publishedVotes(
  spot: KeyedSpot,
  numPartitions: number,
  signal?: AbortSignal,
): Promise<GivenGossip[]> {
  if (!(await isPublished(spot))) return [];
  const path = join(publishedPath(spot), GOSSIP_FILE);
  const stats = await statsOf(path).catch(() => undefined);
  if (stats === undefined || !isOwnFile(stats)) return [];
  const isDamaged = await isChanged(GOSSIP_FILE, spot, numPartitions, signal);
  return [{ source: path, messages: readable(path, signal), isDamaged }];
}

/** Whether a file does not have the hash that `run.json` lists. */
async function isChanged(
  file: string,
  spot: KeyedSpot,
  numPartitions: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const listed = (await publishedHashes(spot, numPartitions))[file];
  if (listed === undefined) return false;
  const reader = new SnapshotDirectory(publishedPath(spot), signal);
  const hash = new RunningHash(spot.hashKey);
  try {
    for await (const chunk of reader.readChunks(file, fileBytesMax(file, numPartitions))) hash.update(chunk);
  } catch {
    signal?.throwIfAborted();
    reader.requireRead();
    return true;
  }
  return hash.digest() !== listed;
}

async function* readable(path: string, signal: AbortSignal | undefined): AsyncGenerator<string, void, void> {
  try {
    yield* new GossipFile(path, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof SnapshotError)) throw error;
    if (isReadError(error)) throw diskError(`cannot read ${path}`, error.cause);
  }
}

function damagedFile({ file, problem }: Finding): DamagedFile {
  return { file, problem };
}

const FILES_SHOWN = 5;

/** Returns the text of a warning. */
export function describeDamage(directory: string, damage: readonly DamagedFile[], omitted: number): string {
  const shown = damage.slice(0, FILES_SHOWN).map(({ file, problem }) => `${file}: ${problem}`);
  const more = damage.length - shown.length + omitted;
  const list = more === 0 ? shown : [...shown, `and ${more} more`];
  return `the published snapshot ${directory} is damaged; its intact files are reused: ${list.join("; ")}`;
}
