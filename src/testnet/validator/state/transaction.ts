/**
 * The transactions of a live network, and their effects on accounts. The protocol leaves transactions to the
 * application. These move balances, so that the total balance proves that no account was lost.
 */

import type { WrappedData } from "../../../protocol/account-copy.ts";
import type { HashHex } from "../../../protocol/brands.ts";
import { canonicalTextOf } from "../../../protocol/crypto/canonical-text.ts";
import { hashText } from "../../../protocol/crypto/hash.ts";

/** Moves a part of an account's balance to another account, which is created where it does not exist. */
export interface Transfer {
  readonly type: "transfer";
  /** Milliseconds. */
  readonly timestamp: number;
  /** Addresses. */
  readonly from: string;
  readonly to: string;
  /** Hex digits. */
  readonly amount: string;
}

/** Sets the fee in a global account. */
export interface FeeChange {
  readonly type: "set-fee";
  readonly timestamp: number;
  /** The address of a global account. */
  readonly account: string;
  /** Hex digits. */
  readonly fee: string;
}

export type Transaction = Transfer | FeeChange;

interface BigInteger {
  readonly dataType: "bi";
  /** Hex digits. */
  readonly value: string;
}

interface BalanceData {
  readonly accountType: 0;
  readonly ethAddress: string;
  readonly hash: HashHex;
  readonly timestamp: number;
  readonly account: { readonly nonce: BigInteger; readonly balance: BigInteger };
}

interface NetworkData {
  readonly accountType: 5;
  readonly hash: HashHex;
  readonly timestamp: number;
  readonly fee: BigInteger;
}

/** The accounts that a transaction changes. */
export function accountsOf(transaction: Transaction): readonly string[] {
  return transaction.type === "transfer" ? [transaction.from, transaction.to] : [transaction.account];
}

/** One of its accounts after a transaction. */
export function applied(
  transaction: Transaction,
  accountId: string,
  account: WrappedData | undefined,
): WrappedData {
  const { timestamp } = transaction;
  if (transaction.type === "set-fee") {
    if (account === undefined) throw new RangeError(`unknown global account ${accountId}`);
    const data = account.data as NetworkData;
    return withStateId({
      ...account,
      timestamp,
      data: { ...data, timestamp, fee: big(hex(transaction.fee)) },
    });
  }
  const before = account ?? newAccount(accountId, timestamp);
  const data = before.data as BalanceData;
  const isSender = accountId === transaction.from;
  const amount = hex(transaction.amount);
  const balance = balanceOf(before) + (isSender ? -amount : amount);
  if (balance < 0n) throw new RangeError(`the balance of account ${accountId} is too low`);
  const nonce = hex(data.account.nonce.value) + (isSender ? 1n : 0n);
  const changed = { ...data.account, nonce: big(nonce), balance: big(balance) };
  return withStateId({ ...before, timestamp, data: { ...data, timestamp, account: changed } });
}

/** Returns the balance of an account; 0 for an account without one. */
export function balanceOf({ data }: Pick<WrappedData, "data">): bigint {
  const { account } = data as Partial<BalanceData>;
  return account === undefined ? 0n : hex(account.balance.value);
}

/** Returns a new account with a balance. */
export function balanceAccount(accountId: string, timestamp: number, balance: bigint): WrappedData {
  const account = { nonce: big(0n), balance: big(balance) };
  const data = { timestamp, accountType: 0, ethAddress: `0x${accountId.slice(0, 40)}`, hash: "", account };
  return withStateId({ accountId, stateId: "", timestamp, data });
}

/** Returns a new global account with a fee. */
export function networkAccount(accountId: string, timestamp: number, fee: bigint): WrappedData {
  const data = { timestamp, accountType: 5, hash: "", fee: big(fee) };
  return withStateId({ accountId, stateId: "", timestamp, data, syncData: { isGlobal: true } });
}

function newAccount(accountId: string, timestamp: number): WrappedData {
  return balanceAccount(accountId, timestamp, 0n);
}

/** Returns the account with its state ID: the hash of its data, which contains the ID too. */
function withStateId(account: WrappedData): WrappedData {
  const { hash: _hash, ...rest } = account.data as { hash: string };
  const stateId = hashText(canonicalTextOf(rest));
  return { ...account, stateId, data: { ...(account.data as object), hash: stateId } };
}

function big(value: bigint): BigInteger {
  return { dataType: "bi", value: value.toString(16) };
}

function hex(digits: string): bigint {
  return BigInt(`0x${digits}`);
}
