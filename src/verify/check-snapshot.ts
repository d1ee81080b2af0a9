/** Verifies a published snapshot offline: its bytes, its votes, and its cycle chain. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { DEFAULT_HASH_KEY } from "../protocol/crypto/hash.ts";
import { SnapshotDirectory } from "../store/snapshot-directory.ts";
import { counted } from "../text/counted.ts";
import type { Trust } from "./evidence/audit.ts";
import { auditEvidence } from "./evidence/evidence.ts";
import { type ArtifactCheck, checkArtifactFiles, checkArtifacts } from "./files/artifacts.ts";
import { checkSmallFiles, type SmallFiles } from "./files/small-files.ts";
import { chosenArtifacts, describeSubset, type Subset } from "./files/subset.ts";
import type { Requirement } from "./findings/claims.ts";
import { FindingList } from "./findings/finding-list.ts";
import type { EvidenceReport, Findings } from "./findings/findings.ts";
import { missingSnapshot } from "./missing-snapshot.ts";
import { readTrustedNodeList } from "./trusted-node-list.ts";

export interface VerifyOptions extends Omit<Trust, "nodeList" | "marker"> {
  /** A file with a node list that the auditor trusts, used instead of the one in the snapshot. */
  readonly trustNodeList?: string | undefined;
  /** The marker of a cycle record that the auditor trusts, of the snapshot's cycle or a later one. */
  readonly trustMarker?: string | undefined;
  /** By default `proved` if the auditor gives a node list, a key or a marker, else `told`. */
  readonly require?: Requirement | undefined;
  /** The artifacts to read; all by default. */
  readonly subset?: Subset | undefined;
  /** Aborts the check. */
  readonly signal?: AbortSignal | undefined;
}

const noEvidence: EvidenceReport = { votes: [], nodeList: null, chain: "unread", claims: [], notes: [] };

const noArtifacts: ArtifactCheck = { checked: 0, verified: 0, accounts: 0, bytes: 0 };

/**
 * Checks a published snapshot: its artifacts, export data and network hash; a recount of its signed votes; and its cycle
 * chain. Every problem is reported as a finding.
 *
 * @throws SnapshotError `no-such-snapshot` without a manifest, `disk` if a file cannot be read, `configuration` if the
 *   auditor's list cannot be read, `usage` if the subset contains no artifact
 */
export async function checkSnapshot(directory: string, options: VerifyOptions = {}): Promise<Findings> {
  const { subset } = options;
  return await checkWith(directory, options, (reader, files, findings) => {
    const total = files.manifest?.artifacts.length ?? 0;
    const chosen = chosenArtifacts(subset, total);
    if (subset !== undefined && total > 0 && chosen.size === 0) throw emptySubset(subset, total);
    return checkArtifacts(reader, files, (index) => chosen.has(index), findings);
  });
}

/** As {@link checkSnapshot}, but checks only the name, kind and size of artifacts, and does not read them. */
export async function checkWithoutArtifacts(
  directory: string,
  options: VerifyOptions = {},
): Promise<Findings> {
  return await checkWith(directory, options, async (reader, { manifest }, findings) => {
    if (manifest !== undefined) await checkArtifactFiles(reader, manifest, findings);
    return noArtifacts;
  });
}

/** Returns the error for a subset without artifacts, whose check would verify nothing. */
function emptySubset(subset: Subset, total: number): SnapshotError {
  return new SnapshotError(
    "usage",
    `${describeSubset(subset)} contains no artifact: the snapshot has ${counted(total, "artifact")}`,
    { hint: `Divide it into at most ${counted(total, "part")}.` },
  );
}

type CheckArtifacts = (
  reader: SnapshotDirectory,
  files: SmallFiles,
  findings: FindingList,
) => Promise<ArtifactCheck>;

async function checkWith(
  directory: string,
  options: VerifyOptions,
  checkArtifactsOf: CheckArtifacts,
): Promise<Findings> {
  const { signal } = options;
  const reader = new SnapshotDirectory(directory, signal);
  const findings = new FindingList();
  const small = await checkSmallFiles(reader, findings).catch(async (error: unknown) => {
    const isMissing = error instanceof SnapshotError && error.code === "no-such-snapshot";
    throw isMissing ? await missingSnapshot(directory) : error;
  });
  const evidence = await auditWith(reader, small, options, findings);
  const artifacts = await checkArtifactsOf(reader, small, findings);
  signal?.throwIfAborted();
  reader.requireRead();
  const { manifest } = small;
  return {
    directory,
    ok: findings.all.length === 0,
    timestamp: manifest?.snapshot.timestamp ?? null,
    cycle: manifest?.blockHeight ?? null,
    networkHash: manifest?.snapshot.networkHash ?? null,
    digest: manifest?.snapshot.digest ?? null,
    partitions: {
      total: manifest?.artifacts.length ?? 0,
      checked: artifacts.checked,
      verified: artifacts.verified,
    },
    subset: options.subset ?? null,
    accounts: artifacts.accounts,
    bytes: artifacts.bytes,
    ...evidence,
    findings: findings.all,
    findingsOmitted: findings.omitted,
  };
}

async function auditWith(
  reader: SnapshotDirectory,
  { manifest, entries, hashKey, files }: SmallFiles,
  options: VerifyOptions,
  findings: FindingList,
): Promise<EvidenceReport> {
  const { trustNodeList, trustMarker, archiverKey, signal } = options;
  const nodeList =
    trustNodeList === undefined
      ? undefined
      : await readTrustedNodeList(trustNodeList, hashKey ?? DEFAULT_HASH_KEY, signal);
  if (manifest === undefined || hashKey === undefined) return noEvidence;
  const hasTrust = trustNodeList !== undefined || trustMarker !== undefined || archiverKey !== undefined;
  const require = options.require ?? (hasTrust ? "proved" : "told");
  const trust: Trust = { ...options, nodeList, marker: trustMarker };
  return await auditEvidence({ reader, manifest, entries, hashKey, files }, { trust, require }, findings);
}
