/** Everything about a published snapshot that can be checked offline: bytes, votes, chain. */

import { readFile } from "node:fs/promises";
import type { Quorum } from "../gossip/collector.ts";
import { Failure, messageOf } from "../model/failure.ts";
import { SnapshotDirectory } from "../store/snapshot-directory.ts";
import { checkArtifacts, openSnapshot } from "../verify/check-snapshot.ts";
import type { EvidenceReport, Findings } from "../verify/findings.ts";
import { WireError } from "../wire/parse.ts";
import { auditEvidence } from "./verify-evidence.ts";

export interface VerifyOptions {
  /** A file with the node list that the auditor trusts, instead of the one in the snapshot. */
  readonly trustNodeList?: string | undefined;
  readonly quorum?: Quorum | undefined;
  /** One artifact in so many is read, beginning with the given one; all by default. */
  /** Ends the check. */
  readonly signal?: AbortSignal | undefined;
  readonly subset?: { readonly oneIn: number; readonly first: number } | undefined;
}

const nothingCounted: EvidenceReport = {
  votes: [],
  nodeList: null,
  chain: "unread",
  findings: [],
  notes: [],
};

/**
 * Checks a published snapshot: artifacts, export data, network hash; the signed votes, counted again; the
 * cycle chain. Every finding, not the first.
 *
 * @throws Failure `no-such-snapshot` where there is no manifest, `configuration` where the auditor's own
 *   list cannot be read; whatever else is wrong is a finding
 */
export async function verifySnapshot(directory: string, options: VerifyOptions = {}): Promise<Findings> {
  const reader = new SnapshotDirectory(directory, options.signal);
  const opened = await openSnapshot(reader);
  const { manifest, entries, hashKey } = opened;
  const { subset } = options;
  const isChosen = (index: number) =>
    subset === undefined || index % subset.oneIn === subset.first % subset.oneIn;
  const trustedNodeList = await readTrusted(options.trustNodeList);
  const audit =
    manifest === undefined || hashKey === undefined
      ? nothingCounted
      : await withTrusted(() =>
          auditEvidence({ reader, manifest, entries, hashKey }, { trustedNodeList, quorum: options.quorum }),
        );
  const artifacts = await checkArtifacts(reader, opened, isChosen);
  options.signal?.throwIfAborted();
  const findings = [...opened.findings, ...artifacts.findings, ...audit.findings];
  return {
    directory,
    ok: findings.length === 0,
    timestamp: manifest?.snapshot.timestamp ?? null,
    cycle: manifest?.blockHeight ?? null,
    networkHash: manifest?.snapshot.networkHash ?? null,
    digest: manifest?.snapshot.digest ?? null,
    partitions: {
      total: manifest?.artifacts.length ?? 0,
      checked: artifacts.checked,
      verified: artifacts.verified,
    },
    accounts: artifacts.accounts,
    bytes: artifacts.bytes,
    votes: audit.votes,
    nodeList: audit.nodeList,
    chain: audit.chain,
    findings,
    notes: audit.notes,
  };
}

async function readTrusted(file: string | undefined): Promise<{ bytes: Buffer; source: string } | undefined> {
  if (file === undefined) return undefined;
  try {
    return { bytes: await readFile(file), source: file };
  } catch (error) {
    throw new Failure("configuration", `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Only the auditor's own list is parsed outside of a finding: its mistakes are the auditor's. */
async function withTrusted<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new Failure("configuration", error.message, {
      cause: error,
      hint: "Correct the file given with --trust-node-list.",
    });
  }
}
