/** Checks the files that no artifact and no export data vouch for, by the hashes that `run.json` lists. */

import { messageOf } from "../model/failure.ts";
import { hashText } from "../model/hash.ts";
import { readRunRecord } from "../model/run-record.ts";
import {
  COUNTING_FILE,
  CYCLES_FILE,
  EXPORT_DATA_FILE,
  GOSSIP_FILE,
  MANIFEST_FILE,
  NETCONFIG_FILE,
  NODE_LIST_FILE,
  RUN_FILE,
} from "../model/snapshot-layout.ts";
import type { Finding } from "./findings.ts";
import type { SnapshotReader } from "./snapshot-reader.ts";

const listed = [MANIFEST_FILE, NODE_LIST_FILE, CYCLES_FILE, COUNTING_FILE, GOSSIP_FILE];

/** @param digest of the snapshot, by its manifest */
export async function checkFiles(
  reader: SnapshotReader,
  hashKey: string,
  digest: string,
): Promise<Finding[]> {
  const run = await read(reader, RUN_FILE, "run-record");
  if (!Buffer.isBuffer(run)) return [run];
  const hashes = readRunRecord(run.toString("utf8"), hashKey);
  if (hashes === undefined) {
    return [
      { kind: "run-record", file: RUN_FILE, problem: "it is not as it was written: its hash is another" },
    ];
  }
  const findings: Finding[] = [];
  if (hashes[EXPORT_DATA_FILE] !== digest) {
    findings.push({ kind: "run-record", file: RUN_FILE, problem: "it is the record of another snapshot" });
  }
  const isProved = hashes[NETCONFIG_FILE] !== undefined;
  for (const file of isProved ? [...listed, NETCONFIG_FILE] : listed) {
    const kind = file === MANIFEST_FILE ? "manifest" : "evidence";
    const bytes = await read(reader, file, kind);
    if (!Buffer.isBuffer(bytes)) {
      findings.push(bytes);
      continue;
    }
    const hash = hashText(bytes, hashKey);
    if (hash === hashes[file]) continue;
    findings.push({
      kind,
      file,
      problem: `its hash is ${hash}, ${RUN_FILE} says ${hashes[file] ?? "nothing"}`,
    });
  }
  return findings;
}

async function read(reader: SnapshotReader, file: string, kind: Finding["kind"]): Promise<Buffer | Finding> {
  try {
    return await reader.readBytes(file);
  } catch (error) {
    return { kind, file, problem: messageOf(error) };
  }
}
