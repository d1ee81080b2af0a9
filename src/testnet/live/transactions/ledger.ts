/** The accounts of a live cluster as its sequencer knows them: their addresses and balances. */

import { isGlobalAccount, type WrappedData } from "../../../protocol/account-copy.ts";
import { balanceOf, type Transaction } from "../../validator/state/transaction.ts";

export class Ledger {
  /** Of accounts with balances, and of global accounts, in the order in which they were added. */
  readonly addresses: string[] = [];
  readonly globals: string[] = [];
  readonly #balances = new Map<string, bigint>();

  static of(accounts: Iterable<WrappedData>): Ledger {
    const ledger = new Ledger();
    for (const account of accounts) ledger.add(account);
    return ledger;
  }

  add(account: WrappedData): void {
    if (isGlobalAccount(account)) {
      this.globals.push(account.accountId);
      return;
    }
    this.addresses.push(account.accountId);
    this.#balances.set(account.accountId, balanceOf(account));
  }

  /** The sum of all balances, which transactions do not change. */
  get totalBalance(): bigint {
    let total = 0n;
    for (const balance of this.#balances.values()) total += balance;
    return total;
  }

  /** Returns 0 for an unknown account. */
  balanceOf(address: string): bigint {
    return this.#balances.get(address) ?? 0n;
  }

  /** @throws RangeError if the transaction is impossible */
  apply(transaction: Transaction): void {
    if (transaction.type === "set-fee") {
      const isKnown = this.globals.includes(transaction.account);
      if (!isKnown) throw new RangeError(`unknown global account ${transaction.account}`);
      return;
    }
    const { from, to } = transaction;
    const amount = BigInt(`0x${transaction.amount}`);
    const has = this.balanceOf(from);
    if (has < amount) throw new RangeError(`the balance of account ${from} is too low`);
    this.#set(from, has - amount);
    this.#set(to, this.balanceOf(to) + amount);
  }

  #set(address: string, balance: bigint): void {
    if (!this.#balances.has(address)) this.addresses.push(address);
    this.#balances.set(address, balance);
  }
}
