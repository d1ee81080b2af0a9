/** The manifest of a snapshot (FORMAT.md): it names everything else, and is written last. */

import { type ExportData, exportDataDigest, FORMAT_VERSION, type StateExportData } from "./export-data.ts";
import { artifactFile, type Compression, EXPORT_DATA_FILE, partitionKey } from "./snapshot-layout.ts";

/** Of what one validator exports, which is no whole snapshot. */
export interface StateExportManifest {
  readonly blockHeight: number;
  readonly artifactMode: "operational";
  readonly data: string;
  /** Key and file name. */
  readonly artifacts: readonly (readonly [string, string])[];
  readonly snapshot: {
    readonly formatVersion: number;
    readonly timestamp: number;
    readonly numPartitions: number;
    readonly accounts: number;
    /** Of all preimages. */
    readonly bytes: number;
    /** The hash of the export data: two snapshots are the same where it is. */
    readonly digest: string;
  };
}

export interface Manifest extends StateExportManifest {
  readonly snapshot: StateExportManifest["snapshot"] & { readonly networkHash: string };
}

export interface StateSize {
  readonly accounts: number;
  readonly bytes: number;
}

export function makeManifest(data: ExportData, size: StateSize, compression: Compression): Manifest {
  // The global partition is not counted: this is the network's number of nodes.
  const numPartitions = data.partitionHashes.size - 1;
  const manifest = makeStateExportManifest(data, { ...size, numPartitions }, compression);
  const { formatVersion, timestamp, ...rest } = manifest.snapshot;
  return { ...manifest, snapshot: { formatVersion, timestamp, networkHash: data.networkHash, ...rest } };
}

export function makeStateExportManifest(
  data: StateExportData,
  size: StateSize & { readonly numPartitions: number },
  compression: Compression,
): StateExportManifest {
  const partitions = [...data.partitionHashes.keys()].sort((a, b) => a - b);
  return {
    blockHeight: data.cycle,
    artifactMode: "operational",
    data: EXPORT_DATA_FILE,
    artifacts: partitions.map((partition) => [partitionKey(partition), artifactFile(partition, compression)]),
    snapshot: {
      formatVersion: FORMAT_VERSION,
      timestamp: data.timestamp,
      numPartitions: size.numPartitions,
      accounts: size.accounts,
      bytes: size.bytes,
      digest: exportDataDigest(data),
    },
  };
}

export function manifestText(manifest: StateExportManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
