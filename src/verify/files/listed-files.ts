/**
 * Checks the manifest and the evidence by the hashes that `run.json` lists, and reports files that neither the manifest
 * nor `run.json` names.
 */

import { messageOf } from "../../errors/snapshot-error.ts";
import { ARCHIVERS_FILE } from "../../format/evidence/archivers.ts";
import { COUNTING_FILE } from "../../format/evidence/counting-rules.ts";
import { CYCLES_FILE } from "../../format/evidence/cycles.ts";
import { GOSSIP_FILE } from "../../format/evidence/gossip.ts";
import { NETCONFIG_FILE } from "../../format/evidence/netconfig.ts";
import { NODE_LIST_FILE } from "../../format/evidence/node-list.ts";
import { TX_LIST_FILE } from "../../format/evidence/tx-list.ts";
import { EXPORT_DATA_FILE } from "../../format/export-data.ts";
import { fileBytesMax } from "../../format/file-bounds.ts";
import type { Manifest } from "../../format/manifest.ts";
import { MANIFEST_FILE } from "../../format/manifest.ts";
import type { FileHashes } from "../../format/run-record.ts";
import { RUN_FILE, readRunRecord } from "../../format/run-record.ts";
import { EVIDENCE_DIRECTORY } from "../../format/snapshot-names.ts";
import type { SnapshotReader } from "../../format/snapshot-reader.ts";
import { otherEvidenceFilesMax } from "../../limits/snapshot.ts";
import { RunningHash } from "../../protocol/crypto/hash.ts";
import { WireError } from "../../wire/parse.ts";
import type { FindingList } from "../findings/finding-list.ts";
import type { FindingKind } from "../findings/findings.ts";

/** Files that every snapshot has. */
const required = [MANIFEST_FILE, NODE_LIST_FILE, CYCLES_FILE, COUNTING_FILE, GOSSIP_FILE];
const known = new Set([...required, NETCONFIG_FILE, TX_LIST_FILE, ARCHIVERS_FILE, EXPORT_DATA_FILE]);

/** @returns the hashes that `run.json` lists; `undefined` if it is missing or damaged */
export async function checkListedFiles(
  reader: SnapshotReader,
  manifest: Manifest,
  hashKey: string,
  findings: FindingList,
): Promise<FileHashes | undefined> {
  const { numPartitions, digest } = manifest.snapshot;
  const hashes = await readListed(reader, numPartitions, hashKey, findings);
  await checkNames(reader, manifest, hashes, findings);
  if (hashes === undefined) return undefined;
  if (hashes[EXPORT_DATA_FILE] !== digest) {
    findings.add("run-record", RUN_FILE, "it is the record of another snapshot");
  }
  for (const file of new Set([...required, ...evidenceListed(hashes, manifest, findings)])) {
    const kind: FindingKind = file === MANIFEST_FILE ? "manifest" : "evidence";
    try {
      const hash = await hashOf(reader, file, fileBytesMax(file, numPartitions), hashKey);
      if (hash === hashes[file]) continue;
      findings.add(kind, file, `its hash is ${hash}, but ${RUN_FILE} has ${hashes[file] ?? "none"}`);
    } catch (error) {
      findings.add(kind, file, messageOf(error));
    }
  }
  return hashes;
}

async function readListed(
  reader: SnapshotReader,
  numPartitions: number,
  hashKey: string,
  findings: FindingList,
): Promise<FileHashes | undefined> {
  try {
    const bytes = await reader.readBytes(RUN_FILE, fileBytesMax(RUN_FILE, numPartitions));
    return readRunRecord(bytes.toString("utf8"), hashKey);
  } catch (error) {
    const problem =
      error instanceof WireError ? error.message.replace(`${RUN_FILE}: `, "") : messageOf(error);
    findings.add("run-record", RUN_FILE, problem);
    return undefined;
  }
}

/** Returns the files that the record lists, without artifacts and export data, whose hashes are checked elsewhere. */
function evidenceListed(hashes: FileHashes, manifest: Manifest, findings: FindingList): string[] {
  const elsewhere = new Set([...manifest.artifacts.map(([, file]) => file), EXPORT_DATA_FILE, RUN_FILE]);
  const listed = Object.keys(hashes).filter((file) => !elsewhere.has(file));
  const others = listed.filter((file) => !known.has(file));
  if (others.length <= otherEvidenceFilesMax) return listed;
  findings.add("run-record", RUN_FILE, `it lists ${others.length} files that are not in the format`);
  return listed.filter((file) => known.has(file));
}

/** Reports files and directories that neither the manifest nor the run record names (FORMAT.md, Layout). */
async function checkNames(
  reader: SnapshotReader,
  manifest: Manifest,
  hashes: FileHashes | undefined,
  findings: FindingList,
): Promise<void> {
  const artifacts = manifest.artifacts.map(([, file]) => file);
  const named = new Set([
    ...[...required, EXPORT_DATA_FILE, RUN_FILE, EVIDENCE_DIRECTORY],
    ...artifacts,
    // A damaged record may have listed the file that not every snapshot has.
    ...(hashes === undefined ? [NETCONFIG_FILE] : Object.keys(hashes)),
  ]);
  try {
    for await (const name of reader.names()) {
      if (named.has(name)) continue;
      findings.add("extra-file", name, `neither ${MANIFEST_FILE} nor ${RUN_FILE} names it`);
    }
  } catch (error) {
    findings.add("evidence", EVIDENCE_DIRECTORY, messageOf(error));
  }
}

async function hashOf(
  reader: SnapshotReader,
  file: string,
  bytesMax: number,
  hashKey: string,
): Promise<string> {
  const hash = new RunningHash(hashKey);
  for await (const chunk of reader.readChunks(file, bytesMax)) hash.update(chunk);
  return hash.digest();
}
