/** Bounds on the files of a published snapshot, and on the findings of one verification. */

import { GiB, KiB, MiB } from "./units.ts";

/** Any file of a snapshot without a bound of its own. */
export const evidenceFileBytesMax = 256 * MiB;

/** The manifest, before the number of its partitions is known: 250 bytes for each of 50,001 artifacts. */
export const manifestBytesMax = 12 * MiB;

/** Export data: a hash and its key for each partition, and five more lines. */
export const exportDataBytesBase = 4 * KiB;
export const exportDataBytesPerPartition = 128;

/** The run record: the source of each partition, the requests and offences of each node, and spare bytes for a small
 *  network with many failures. Parsing and rewriting it takes some eight times its size in memory. */
export const runRecordBytesBase = 4 * MiB;
export const runRecordBytesPerPartition = 16 * KiB;
export const runRecordBytesMax = 32 * MiB;

/** A node list in the evidence: rows have some 300 bytes. */
export const nodeListBytesBase = 256 * KiB;
export const nodeListBytesPerNode = 4 * KiB;

/** The counting rules: a dozen fields. */
export const countingBytesMax = 16 * KiB;

/** Bytes of a vote in the evidence beyond the signed part: its signature and a line end. */
export const gossipLineBytesSpare = 1 * KiB;

/** All votes in the evidence: 2,000 nodes that each store everything, and each equivocate. */
export const gossipEvidenceBytesMax = 2 * GiB;

/** Distinct hashes whose votes are kept to find the most popular one. */
export const popularHashesMax = 500_000;

/** Evidence of a later version, and the number of such files. */
export const otherEvidenceBytesMax = 64 * MiB;
export const otherEvidenceFilesMax = 16;

/** Findings of one verification that are kept, and the characters of each: more would not help the reader. */
export const findingsMax = 1_000;
export const findingCharactersMax = 600;

/** Notes on one verification: gaps in the chain, and the like. */
export const auditNotesMax = 20;
