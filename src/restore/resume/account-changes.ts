/**
 * The changes of accounts that a receipt states. The data of each account must have the hash that the receipt states,
 * whether or not its signatures are checked (archiver 3.7.7,
 * `src/shardeum/calculateAccountHash.ts` and `verifyGlobalTxReceipt.ts`).
 */

import { isHex64 } from "../../protocol/address.ts";
import { CanonicalTextError, canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import type { AfterState, GlobalReceipt, Receipt, VotedReceipt } from "../../protocol/receipt.ts";
import { type AccountHashRule, accountHash } from "../account-hash.ts";

/** One account after a transaction. */
export interface AccountChange {
  readonly accountId: string;
  /** The canonical text of the data, as an archiver keeps it. */
  readonly data: string;
  readonly hash: string;
  readonly isGlobal: boolean;
  /** Milliseconds, from the data, which the hash covers. */
  readonly timestamp: number;
  /** The hash before the transaction; `undefined` if the receipt states none. */
  readonly hashBefore: string | undefined;
}

export interface HashRules {
  readonly rules: readonly AccountHashRule[];
  readonly hashKey: string;
  /** Milliseconds: a validator asks for no account that is newer. */
  readonly nowMs: number;
}

/** The receipt contradicts itself: nothing makes its accounts usable. */
export class ContradictionError extends Error {
  override readonly name = "ContradictionError";
  readonly code = "contradiction";
}

/**
 * @param id the ID under which the receipt is stored
 * @throws ContradictionError
 */
export function changesOf(id: string, receipt: Receipt, rules: HashRules): AccountChange[] {
  const txId = receipt.kind === "voted" ? receipt.proposal.txId : receipt.txId;
  if (txId !== id) throw new ContradictionError(`it is the receipt of transaction ${txId}`);
  return receipt.kind === "voted" ? votedChanges(receipt, rules) : globalChanges(receipt, rules);
}

function votedChanges({ proposal, afterStates }: VotedReceipt, rules: HashRules): AccountChange[] {
  const { accountIds, beforeStateHashes, afterStateHashes } = proposal;
  // Core ends such a transaction without a change, and sends no receipt of it (2.15.8, TransactionQueue.ts).
  if (!proposal.applied || proposal.cantPreApply)
    throw new ContradictionError("its validators voted for not applying the transaction");
  if (accountIds.length !== afterStateHashes.length || accountIds.length !== beforeStateHashes.length) {
    throw new ContradictionError("its lists of accounts and hashes differ in length");
  }
  if (new Set(accountIds).size < accountIds.length) throw new ContradictionError("it names an account twice");
  const states = new Map(afterStates.map((state) => [state.accountId, state]));
  return accountIds.map((accountId, index) => {
    const state = states.get(accountId);
    if (state === undefined)
      throw new ContradictionError(`it lacks the account ${accountId} after the transaction`);
    return changeOf(state, { before: beforeStateHashes[index], after: afterStateHashes[index] }, rules);
  });
}

/** A global change is of one account; an empty hash says that it did not exist. */
function globalChanges(receipt: GlobalReceipt, rules: HashRules): AccountChange[] {
  const { address, addressHash, afterStateHash, afterStates } = receipt;
  if (!isHex64(address)) throw new ContradictionError("the account that it changes has no address");
  return afterStates.map((state) => {
    if (state.accountId !== address)
      throw new ContradictionError(`it has the account ${state.accountId}, but changes ${address}`);
    const before = addressHash === "" ? undefined : addressHash;
    return changeOf(state, { before, after: afterStateHash }, rules);
  });
}

function changeOf(
  { accountId, data, isGlobal }: AfterState,
  { before, after }: { readonly before: string | undefined; readonly after: string | undefined },
  { rules, hashKey, nowMs }: HashRules,
): AccountChange {
  const hash = rules.map((rule) => accountHash(rule, data, hashKey)).find((own) => own === after);
  if (hash === undefined || !isHex64(hash)) {
    throw new ContradictionError(
      `the data of account ${accountId} does not have the hash that was voted on, ${after}`,
    );
  }
  const { timestamp } = data;
  if (typeof timestamp !== "number" || !Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new ContradictionError(`the data of account ${accountId} has no timestamp in milliseconds`);
  }
  if (timestamp > nowMs)
    throw new ContradictionError(`the account ${accountId} is of the future, ${timestamp}`);
  return { accountId, data: textOf(accountId, data), hash, isGlobal, timestamp, hashBefore: before };
}

function textOf(accountId: string, data: AfterState["data"]): string {
  try {
    return canonicalTextOf(data);
  } catch (error) {
    if (!(error instanceof CanonicalTextError)) throw error;
    throw new ContradictionError(`the data of account ${accountId} has no canonical text: ${error.message}`);
  }
}
