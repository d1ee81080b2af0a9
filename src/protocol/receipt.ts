/**
 * Receipts of transactions as an archiver keeps them (archiver 3.7.7, `src/dbstore/receipts.ts`): what validators signed,
 * and the accounts after the transaction.
 */

import type { HashHex } from "./brands.ts";
import { canonicalTextOf } from "./crypto/canonical-text.ts";
import { hashText } from "./crypto/hash.ts";

/** What the validators of a transaction voted for. The lists are parallel. */
export interface Proposal {
  readonly applied: boolean;
  readonly cantPreApply: boolean;
  readonly accountIds: readonly string[];
  readonly beforeStateHashes: readonly string[];
  readonly afterStateHashes: readonly string[];
  readonly appReceiptDataHash: string;
  readonly txId: string;
  /** The address whose validators execute the transaction; `undefined` in receipts of older networks. */
  readonly executionShardKey: string | undefined;
}

/** An account after a transaction. */
export interface AfterState {
  readonly accountId: string;
  /** As `JSON.parse` returned it. Its own `timestamp` is that of the account, in milliseconds. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly isGlobal: boolean;
}

/** The receipt of a transaction that a group of validators voted on. */
export interface VotedReceipt {
  readonly kind: "voted";
  readonly proposal: Proposal;
  /** The `sign` of each vote, as received. */
  readonly signatures: readonly unknown[];
  /** The time of each vote: seconds after the transaction. */
  readonly voteOffsets: readonly unknown[];
  readonly afterStates: readonly AfterState[];
}

/** The receipt of a change of a global account. */
export interface GlobalReceipt {
  readonly kind: "global";
  /** What each validator signed, as received. */
  readonly tx: Readonly<Record<string, unknown>>;
  readonly txId: string;
  /** The account that is changed, and its hash before; empty if it is created. */
  readonly address: string;
  readonly addressHash: string;
  readonly afterStateHash: string;
  /** The address whose validators sign. */
  readonly source: string;
  readonly signatures: readonly unknown[];
  readonly afterStates: readonly AfterState[];
}

export type Receipt = VotedReceipt | GlobalReceipt;

/**
 * Returns the hash of a proposal that votes state (core 2.15.8, `src/state-manager/TransactionConsensus.ts`,
 * `calculateVoteHash`; archiver 3.7.7, `src/Data/Collector.ts`).
 */
export function voteHashOf(proposal: Proposal, executionShardKey: string, hashKey: string): HashHex {
  const hash = (value: unknown) => hashText(canonicalTextOf(value), hashKey);
  const { applied, cantPreApply, accountIds, beforeStateHashes, afterStateHashes } = proposal;
  const status = hash({ applied, cantApply: cantPreApply });
  const accounts = hashText(hash(accountIds) + hash(beforeStateHashes) + hash(afterStateHashes), hashKey);
  return hashText(status + accounts + proposal.appReceiptDataHash + executionShardKey, hashKey);
}
