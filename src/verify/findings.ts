/** What a check of a snapshot found. */

export type FindingKind =
  | "manifest"
  | "export-data"
  | "digest"
  | "network-hash"
  | "artifact-missing"
  | "artifact-unreadable"
  | "artifact-hash"
  | "totals"
  /** `run.json`: its own hash, or those of the files that it lists. */
  | "run-record"
  | "evidence"
  | "node-list"
  | "gossip"
  | "no-agreement"
  | "chain";

export interface Finding {
  readonly kind: FindingKind;
  /** The file that is wrong. */
  readonly file: string;
  readonly partition?: number;
  readonly problem: string;
}

/** How the nodes that cover a partition voted on the hash in the export data. */
export interface PartitionVotes {
  readonly partition: number;
  readonly votesFor: number;
  readonly votesAgainst: number;
  readonly outOf: number;
}

/** What the evidence says, counted again. */
export interface EvidenceReport {
  readonly votes: readonly PartitionVotes[];
  /** Whose node list said who may vote. */
  readonly nodeList: {
    readonly source: "evidence" | "auditor";
    readonly hash: string;
    readonly nodes: number;
  } | null;
  /** Whether a later cycle record names the same network hash. */
  readonly chain: "confirms" | "silent" | "unread";
  readonly findings: readonly Finding[];
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
  readonly accounts: number;
  /** Of the preimages that were read. */
  readonly bytes: number;
  /** Empty where the votes could not be counted again. */
  readonly votes: readonly PartitionVotes[];
  readonly nodeList: EvidenceReport["nodeList"];
  readonly chain: EvidenceReport["chain"];
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}
