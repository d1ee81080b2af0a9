/** Makes the served snapshot of a directory that was verified. */

import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { partitionOfKey } from "../format/artifact.ts";
import { EXPORT_DATA_FILE } from "../format/export-data.ts";
import { fileBytesMax } from "../format/file-bounds.ts";
import { MANIFEST_FILE } from "../format/manifest.ts";
import { RUN_FILE, readRunRecord } from "../format/run-record.ts";
import { snapshotName } from "../format/snapshot-names.ts";
import { asHashHex, type HashHex } from "../protocol/brands.ts";
import { hashText, RunningHash } from "../protocol/crypto/hash.ts";
import { SnapshotDirectory } from "../store/snapshot-directory.ts";
import { readStatedState, type StatedState } from "../store/stated-state.ts";
import { type FileIdentity, identitiesIn, isSameFile } from "./file-identity.ts";
import { ServedSnapshot, type SnapshotFacts } from "./served-snapshot.ts";

/**
 * @param digest the digest that the verification found
 * @param before the identities of the files before the verification
 * @throws SnapshotError `verification` if the snapshot changed since
 */
export async function loadSnapshot(
  directory: string,
  digest: string,
  before: ReadonlyMap<string, FileIdentity>,
): Promise<ServedSnapshot> {
  try {
    const reader = new SnapshotDirectory(directory);
    const stated = await readStatedState(reader, digest);
    const hashes = await hashesOfFiles(reader, stated);
    const after = await identitiesIn(directory);
    const files = [...hashes].map(([name, hash]) => {
      const identity = after.get(name);
      const verified = before.get(name);
      if (identity === undefined || verified === undefined) throw new Error(`${name} is missing`);
      if (!isSameFile(identity, verified)) throw new Error(`${name} was written to`);
      return { directory, name, hash, identity };
    });
    const artifacts = stated.manifest.artifacts.map(([key, file]) => [partitionOfKey(key), file] as const);
    return new ServedSnapshot({ facts: factsOf(directory, digest, stated), files, artifacts });
  } catch (error) {
    throw new SnapshotError(
      "verification",
      `${directory} changed after it was verified: ${messageOf(error)}`,
      { cause: error, hint: "Find out what writes to the directory, and run again." },
    );
  }
}

function factsOf(
  directory: string,
  digest: string,
  { manifest, hashKey, hashes }: StatedState,
): SnapshotFacts {
  const { timestamp, numPartitions, networkHash, accounts, bytes } = manifest.snapshot;
  const agreed = { networkHash, hashKey, partitions: hashes };
  return {
    ...{ name: snapshotName(timestamp), directory, timestamp, cycle: manifest.blockHeight, numPartitions },
    ...{ digest, agreed, size: { accounts, bytes } },
  };
}

/**
 * Returns the hash of the bytes of each file. The export data states those of plain artifacts, and `run.json` those of
 * all other files but itself; both were verified.
 */
async function hashesOfFiles(
  reader: SnapshotDirectory,
  { manifest, hashKey, hashes: partitions }: StatedState,
): Promise<Map<string, HashHex>> {
  const bytesMax = fileBytesMax(RUN_FILE, manifest.snapshot.numPartitions);
  const record = (await reader.readBytes(RUN_FILE, bytesMax)).toString("utf8");
  const listed = new Map(Object.entries(readRunRecord(record, hashKey)));
  const hashes = new Map([[RUN_FILE, hashText(record, hashKey)]]);
  for (const [key, file] of manifest.artifacts) {
    const stated = file.endsWith(".gz") ? listed.get(file) : partitions.get(partitionOfKey(key));
    // Records of older versions do not list compressed artifacts.
    hashes.set(file, stated === undefined ? await hashOfFile(reader, file, hashKey) : asHashHex(stated));
  }
  const others = [...listed].filter(([file]) => !hashes.has(file));
  for (const [file, hash] of others) hashes.set(file, asHashHex(hash));
  for (const file of [MANIFEST_FILE, EXPORT_DATA_FILE]) {
    if (!hashes.has(file)) throw new Error(`${RUN_FILE} does not list ${file}`);
  }
  return hashes;
}

async function hashOfFile(reader: SnapshotDirectory, file: string, hashKey: string): Promise<HashHex> {
  const hash = new RunningHash(hashKey);
  for await (const chunk of reader.readChunks(file, Number.MAX_SAFE_INTEGER)) hash.update(chunk);
  return hash.digest();
}
