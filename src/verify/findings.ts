/** What a check of a snapshot found. */

export type FindingKind =
  | "manifest"
  | "export-data"
  | "digest"
  | "network-hash"
  | "artifact-missing"
  | "artifact-unreadable"
  | "artifact-hash"
  | "totals";

export interface Finding {
  readonly kind: FindingKind;
  /** The file that is wrong. */
  readonly file: string;
  readonly partition?: number;
  readonly problem: string;
}

export interface Findings {
  readonly directory: string;
  /** Whether nothing was found. */
  readonly ok: boolean;
  readonly timestamp: number | null;
  readonly cycle: number | null;
  readonly networkHash: string | null;
  readonly digest: string | null;
  readonly partitions: { readonly total: number; readonly verified: number };
  readonly accounts: number;
  /** Of the preimages that were read. */
  readonly bytes: number;
  readonly findings: readonly Finding[];
}
