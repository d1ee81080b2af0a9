/** The result of a verification. */

import type { Cycle, HashHex, Partition } from "../../protocol/brands.ts";
import type { Subset } from "../files/subset.ts";
import type { Claim, ClaimName } from "./claims.ts";

export type FindingKind =
  | "manifest"
  | "export-data"
  | "digest"
  /** The network hash is not that of the partition hashes, or not the one in an unbroken cycle chain. */
  | "network-hash"
  | "artifact-missing"
  | "artifact-unreadable"
  | "artifact-hash"
  | "totals"
  /** `run.json`: its format, its own hash, or the hashes that it lists. */
  | "run-record"
  /** A file that neither the manifest nor the run record names. */
  | "extra-file"
  | "evidence"
  | "node-list"
  /** Sharding settings that contradict their proof, the auditor, or the signed messages. */
  | "sharding"
  | "gossip"
  | "no-agreement"
  | "chain"
  /** A claim that only the snapshot makes, although the auditor requires proof. */
  | "unproved";

export interface Finding {
  readonly kind: FindingKind;
  /** The file that is wrong. */
  readonly file: string;
  readonly partition?: Partition;
  /** The claim that is `unproved`. */
  readonly claim?: ClaimName;
  readonly problem: string;
}

/** The votes of the nodes that cover a partition on its hash in the export data. */
export interface PartitionVotes {
  readonly partition: Partition;
  readonly votesFor: number;
  readonly votesAgainst: number;
  readonly outOf: number;
}

/**
 * The network hash in later cycle records. `confirms`: a proved record names it. `told`: only unproved records name it.
 * `silent`: no record names it.
 */
export type ChainWitness = "confirms" | "told" | "silent" | "unread";

/** The result of checking the evidence. */
export interface EvidenceReport {
  readonly votes: readonly PartitionVotes[];
  /** The node list that the votes were counted with. */
  readonly nodeList: {
    readonly source: "evidence" | "auditor";
    readonly hash: HashHex;
    readonly nodes: number;
  } | null;
  readonly chain: ChainWitness;
  readonly claims: readonly Claim[];
  /** Observations that are not problems of the snapshot. */
  readonly notes: readonly string[];
}

export interface Findings {
  readonly directory: string;
  /** Whether there are no findings. */
  readonly ok: boolean;
  readonly timestamp: number | null;
  readonly cycle: Cycle | null;
  readonly networkHash: HashHex | null;
  readonly digest: string | null;
  readonly partitions: {
    readonly total: number;
    /** Partitions whose artifact was read: all without a subset. */
    readonly checked: number;
    readonly verified: number;
  };
  /** The artifacts that were read; null for all of them. */
  readonly subset: Subset | null;
  readonly accounts: number;
  /** Bytes of the preimages that were read. */
  readonly bytes: number;
  /** Empty if the votes could not be counted. */
  readonly votes: readonly PartitionVotes[];
  readonly nodeList: EvidenceReport["nodeList"];
  readonly chain: ChainWitness;
  /** The claims that the result depends on. */
  readonly claims: readonly Claim[];
  readonly findings: readonly Finding[];
  /** The number of findings beyond those in `findings`. */
  readonly findingsOmitted: number;
  readonly notes: readonly string[];
}
