/** What a check of a snapshot found. */

import type { Subset } from "../files/subset.ts";
import type { Claim, ClaimName } from "./claims.ts";

export type FindingKind =
  | "manifest"
  | "export-data"
  | "digest"
  /** The network hash is not that of the partition hashes, or not that which an unbroken cycle chain records. */
  | "network-hash"
  | "artifact-missing"
  | "artifact-unreadable"
  | "artifact-hash"
  | "totals"
  /** `run.json`: its form, its own hash, or those of the files that it lists. */
  | "run-record"
  /** A file that nothing names. */
  | "extra-file"
  | "evidence"
  | "node-list"
  /** Sharding settings that contradict their proof, the auditor, or the signed messages. */
  | "sharding"
  | "gossip"
  | "no-agreement"
  | "chain"
  /** A claim that only the directory makes, where the auditor asks for proof. */
  | "unproved";

export interface Finding {
  readonly kind: FindingKind;
  /** The file that is wrong. */
  readonly file: string;
  readonly partition?: number;
  /** Of `unproved`: which claim. */
  readonly claim?: ClaimName;
  readonly problem: string;
}

/** How the nodes that cover a partition voted on the hash in the export data. */
export interface PartitionVotes {
  readonly partition: number;
  readonly votesFor: number;
  readonly votesAgainst: number;
  readonly outOf: number;
}

/**
 * What later cycle records say of the network hash. `confirms`: a record that the auditor's trust reaches names it.
 * `told`: only records that rest on the directory's word do. `silent`: none does.
 */
export type ChainWitness = "confirms" | "told" | "silent" | "unread";

/** What the evidence says, counted again. */
export interface EvidenceReport {
  readonly votes: readonly PartitionVotes[];
  /** Whose node list said who may vote. */
  readonly nodeList: {
    readonly source: "evidence" | "auditor";
    readonly hash: string;
    readonly nodes: number;
  } | null;
  readonly chain: ChainWitness;
  readonly claims: readonly Claim[];
  /** What is worth knowing, and wrong with nobody's files. */
  readonly notes: readonly string[];
}

export interface Findings {
  readonly directory: string;
  /** Whether nothing was found. */
  readonly ok: boolean;
  readonly timestamp: number | null;
  readonly cycle: number | null;
  readonly networkHash: string | null;
  readonly digest: string | null;
  readonly partitions: {
    readonly total: number;
    /** Those whose artifact was read: all, unless a subset was asked for. */
    readonly checked: number;
    readonly verified: number;
  };
  /** Which artifacts were chosen to be read; null for all of them. */
  readonly subset: Subset | null;
  readonly accounts: number;
  /** Of the preimages that were read. */
  readonly bytes: number;
  /** Empty where the votes could not be counted again. */
  readonly votes: readonly PartitionVotes[];
  readonly nodeList: EvidenceReport["nodeList"];
  readonly chain: ChainWitness;
  /** What the result rests on. */
  readonly claims: readonly Claim[];
  readonly findings: readonly Finding[];
  /** How many more there were than `findings` lists. */
  readonly findingsOmitted: number;
  readonly notes: readonly string[];
}
