/** `export-manifest.json` (FORMAT.md, Manifest), which names all other files and is written last. */

import { nodesMax } from "../limits/network.ts";
import { asCycle, asPartition, type Cycle, type HashHex } from "../protocol/brands.ts";
import { allPartitions } from "../protocol/shard.ts";
import { hex64 } from "../wire/hex.ts";
import type { JsonBounds } from "../wire/json-bounds.ts";
import { parseAs, parseJson, WireError } from "../wire/parse.ts";
import * as z from "../wire/schema.ts";
import { artifactFile, type Compression, partitionKey } from "./artifact.ts";
import {
  EXPORT_DATA_FILE,
  type ExportData,
  exportDataDigest,
  FORMAT_VERSION,
  type StateExportData,
} from "./export-data.ts";
import { isPlainName } from "./snapshot-names.ts";

export const MANIFEST_FILE = "export-manifest.json";

/** The manifest of one validator's export, which is not a whole snapshot. */
export interface StateExportManifest {
  readonly blockHeight: Cycle;
  readonly artifactMode: "operational";
  readonly data: string;
  /** Key and file name. */
  readonly artifacts: readonly (readonly [string, string])[];
  readonly snapshot: {
    readonly formatVersion: number;
    readonly timestamp: number;
    readonly numPartitions: number;
    readonly accounts: number;
    /** The length of all preimages. */
    readonly bytes: number;
    /** The hash of the export data. */
    readonly digest: string;
  };
}

export interface Manifest extends StateExportManifest {
  readonly snapshot: StateExportManifest["snapshot"] & { readonly networkHash: HashHex };
}

export interface StateSize {
  readonly accounts: number;
  readonly bytes: number;
}

export function makeManifest(data: ExportData, size: StateSize, compression: Compression): Manifest {
  // Without the global partition: this is the number of nodes.
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

const count = z.int("expected a whole number").min(0, "expected a whole number");
const plainName = z.string().refine(isPlainName, "expected a file name without a path");
const schema = z.strictObject({
  blockHeight: count.transform(asCycle),
  artifactMode: z.literal("operational", "expected operational"),
  data: z.literal(EXPORT_DATA_FILE, `expected ${EXPORT_DATA_FILE}`),
  artifacts: z.array(z.tuple([z.string(), plainName])).max(nodesMax + 1, "expected one artifact a partition"),
  snapshot: z.strictObject({
    formatVersion: z.literal(FORMAT_VERSION, `expected version ${FORMAT_VERSION}`),
    timestamp: count,
    networkHash: hex64,
    numPartitions: count
      .min(1, "expected at least one partition")
      .max(nodesMax, `expected at most ${nodesMax}`),
    accounts: count,
    bytes: count,
    digest: hex64,
  }),
});

/** Three values for each artifact, and about a dozen more. */
const bounds: JsonBounds = { depthMax: 4, valuesMax: 3 * (nodesMax + 1) + 32 };

/**
 * Parses the text of a manifest.
 *
 * @throws WireError
 */
export function parseManifest(text: string): Manifest {
  const manifest = parseAs(schema, parseJson(text, MANIFEST_FILE, bounds), MANIFEST_FILE);
  requireArtifactOfEachPartition(manifest);
  return manifest;
}

function requireArtifactOfEachPartition({ artifacts, snapshot }: Manifest): void {
  const keys = allPartitions({ numNodes: snapshot.numPartitions });
  const wrong = keys.findIndex((partition, index) => artifacts[index]?.[0] !== partitionKey(partition));
  if (wrong >= 0 || artifacts.length !== keys.length) {
    const last = partitionKey(asPartition(snapshot.numPartitions - 1));
    throw new WireError(MANIFEST_FILE, `artifacts: expected partition.-1 to ${last}, in order`);
  }
  const files = new Set(artifacts.map(([, file]) => file));
  if (files.size < keys.length)
    throw new WireError(MANIFEST_FILE, "artifacts: two partitions have the same file");
}
