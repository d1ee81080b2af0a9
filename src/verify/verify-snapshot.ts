/** Everything about a published snapshot that can be checked offline: bytes, votes, chain. */

import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { readFileBounded } from "../fetch/bounded-file.ts";
import { listBytesMax, nodesMax } from "../limits/limits.ts";
import * as check from "../options/option-check.ts";
import { requireOptions } from "../options/option-check.ts";
import { DEFAULT_HASH_KEY, hashText } from "../protocol/crypto/hash.ts";
import { SnapshotDirectory } from "../store/snapshot-directory.ts";
import { counted } from "../text/counted.ts";
import { type NodeList, parseNodeList } from "../wire/node-list.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import { describeRowProblems } from "../wire/row-problems.ts";
import { type ArtifactCheck, checkArtifactFiles, checkArtifacts } from "./check-artifacts.ts";
import { openSnapshot } from "./check-snapshot.ts";
import type { Requirement } from "./claims.ts";
import { signerOf, type Trust, type TrustedNodeList } from "./evidence/audit.ts";
import { auditEvidence } from "./evidence/evidence.ts";
import { FindingList } from "./finding-list.ts";
import type { EvidenceReport, Findings } from "./findings.ts";
import { missingSnapshot } from "./missing-snapshot.ts";
import { chosenArtifacts, describeSubset, isSubset, type Subset } from "./subset.ts";

export interface VerifyOptions extends Omit<Trust, "nodeList" | "marker"> {
  /** A file with the node list that the auditor trusts, instead of the one in the snapshot. */
  readonly trustNodeList?: string | undefined;
  /** The marker of a cycle record that the auditor knows, of the snapshot's cycle or a later one. */
  readonly trustMarker?: string | undefined;
  /** By default `proved` where the auditor brings a node list, a key or a marker, else `told`. */
  readonly require?: Requirement | undefined;
  /** Which artifacts are read; all by default. */
  readonly subset?: Subset | undefined;
  /** Ends the check. */
  readonly signal?: AbortSignal | undefined;
}

const verifyChecks: check.OptionChecks<VerifyOptions> = {
  trustNodeList: check.path,
  trustMarker: check.hexKey,
  archiverKey: check.hexKey,
  nodesPerConsensusGroup: check.wholeNumber(1, nodesMax),
  nodesPerEdge: check.wholeNumber(0, nodesMax),
  quorum: check.oneOf("majority", "popular"),
  require: check.oneOf("proved", "told"),
  subset: {
    accepts: isSubset,
    expected: "{ oneIn, first } with 0 <= first < oneIn, or { percent, seed } with 0 < percent <= 100",
  },
  signal: check.abortSignal,
};

const nothingCounted: EvidenceReport = { votes: [], nodeList: null, chain: "unread", claims: [], notes: [] };

const noArtifacts: ArtifactCheck = { checked: 0, verified: 0, accounts: 0, bytes: 0 };

/**
 * Checks a published snapshot: artifacts, export data, network hash; the signed votes, counted again; the
 * cycle chain. Every finding, not the first.
 *
 * @throws SnapshotError `no-such-snapshot` where there is no manifest, `disk` where a file cannot be read, `configuration`
 *   where the auditor's own list cannot be, `usage` where the subset has no artifact; whatever else is wrong is a finding
 */
export async function verifySnapshot(directory: string, options: VerifyOptions = {}): Promise<Findings> {
  requireOptions("verifySnapshot", options, verifyChecks);
  if (!check.path.accepts(directory)) {
    throw new SnapshotError(
      "usage",
      `verifySnapshot(): the directory is not usable: expected ${check.path.expected}`,
    );
  }
  const { subset } = options;
  return await checkSnapshot(directory, options, (reader, opened, findings) => {
    const total = opened.manifest?.artifacts.length ?? 0;
    const chosen = chosenArtifacts(subset, total);
    if (subset !== undefined && total > 0 && chosen.size === 0) throw emptySubset(subset, total);
    return checkArtifacts(reader, opened, (index) => chosen.has(index), findings);
  });
}

/** Where nothing is read, nothing is right. */
function emptySubset(subset: Subset, total: number): SnapshotError {
  return new SnapshotError(
    "usage",
    `${describeSubset(subset)} has no artifact: the snapshot has ${counted(total, "artifact")}`,
    { hint: `Divide it into at most ${counted(total, "part")}.` },
  );
}

/** Checks everything but the bytes of the artifacts, of which only name, kind and size are looked at. */
export async function verifyWithoutArtifacts(
  directory: string,
  options: VerifyOptions = {},
): Promise<Findings> {
  return await checkSnapshot(directory, options, async (reader, { manifest }, findings) => {
    if (manifest !== undefined) await checkArtifactFiles(reader, manifest, findings);
    return noArtifacts;
  });
}

type CheckArtifacts = (
  reader: SnapshotDirectory,
  opened: Awaited<ReturnType<typeof openSnapshot>>,
  findings: FindingList,
) => Promise<ArtifactCheck>;

async function checkSnapshot(
  directory: string,
  options: VerifyOptions,
  checkArtifactsOf: CheckArtifacts,
): Promise<Findings> {
  const { trustNodeList, trustMarker, archiverKey, signal } = options;
  const reader = new SnapshotDirectory(directory, signal);
  const findings = new FindingList();
  const opened = await openSnapshot(reader, findings).catch(async (error: unknown) => {
    const isMissing = error instanceof SnapshotError && error.code === "no-such-snapshot";
    throw isMissing ? await missingSnapshot(directory) : error;
  });
  const { manifest, entries, hashKey, files } = opened;
  const nodeList = await readTrusted(trustNodeList, hashKey, options.signal);
  const hasTrust = trustNodeList !== undefined || trustMarker !== undefined || archiverKey !== undefined;
  const require = options.require ?? (hasTrust ? "proved" : "told");
  const trust: Trust = { ...options, nodeList, marker: trustMarker };
  const audit =
    manifest === undefined || hashKey === undefined
      ? nothingCounted
      : await auditEvidence({ reader, manifest, entries, hashKey, files }, { trust, require }, findings);
  const artifacts = await checkArtifactsOf(reader, opened, findings);
  signal?.throwIfAborted();
  reader.requireRead();
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
    ...audit,
    findings: findings.all,
    findingsOmitted: findings.omitted,
  };
}

function noNodes({ skipped }: NodeList): string {
  const problem = "it has no node with an ID and a key";
  return skipped.count === 0 ? problem : `${problem}: ${describeRowProblems(skipped)}`;
}

/** The auditor's own list is no finding: its mistakes are the auditor's. */
async function readTrusted(
  file: string | undefined,
  hashKey: string = DEFAULT_HASH_KEY,
  signal?: AbortSignal,
): Promise<TrustedNodeList | undefined> {
  if (file === undefined) return undefined;
  try {
    const bytes = await readFileBounded(file, listBytesMax, signal);
    const list = parseNodeList(parseJson(bytes.toString("utf8"), file), file);
    if (list.nodes.length === 0) throw new WireError(file, noNodes(list));
    // Under the hash key that the directory names, which may be a wrong one: then nothing follows from it.
    const signer = signerOf(list.received, hashKey);
    return {
      list,
      source: file,
      hash: hashText(bytes, hashKey),
      signer: typeof signer === "object" ? signer.key : undefined,
    };
  } catch (error) {
    signal?.throwIfAborted();
    const problem = error instanceof WireError ? error.message : `cannot read ${file}: ${messageOf(error)}`;
    throw new SnapshotError("configuration", problem, {
      cause: error,
      hint: "Correct the file given with --trust-node-list.",
    });
  }
}
