/** The balances that a sequencer keeps. */

import { expect, it } from "vitest";
import { Ledger } from "../../../src/testnet/live/transactions/ledger.ts";
import { balanceAccount, networkAccount } from "../../../src/testnet/validator/state/transaction.ts";

const [a, b, c, fee] = ["a", "b", "c", "f"].map((digit) => digit.repeat(64)) as [
  string,
  string,
  string,
  string,
];

function ledger(): Ledger {
  return Ledger.of([networkAccount(fee, 1, 7n), balanceAccount(a, 1, 10n), balanceAccount(b, 1, 5n)]);
}

it("a transfer moves a balance, creates an account where it has to, and keeps the total", () => {
  const accounts = ledger();
  accounts.apply({ type: "transfer", timestamp: 2, from: a, to: c, amount: "a" });
  accounts.apply({ type: "transfer", timestamp: 3, from: b, to: a, amount: "1" });
  accounts.apply({ type: "set-fee", timestamp: 4, account: fee, fee: "8" });
  expect([a, b, c].map((address) => accounts.balanceOf(address))).toEqual([1n, 4n, 10n]);
  expect(accounts.totalBalance).toBe(15n);
  expect([accounts.addresses, accounts.globals]).toEqual([[a, b, c], [fee]]);
});

it("a transaction that the state does not permit is refused, and changes nothing", () => {
  const accounts = ledger();
  expect(() => accounts.apply({ type: "transfer", timestamp: 2, from: a, to: b, amount: "b" })).toThrow(
    `the balance of account ${a} is too low`,
  );
  expect(() => accounts.apply({ type: "set-fee", timestamp: 2, account: a, fee: "1" })).toThrow(
    `unknown global account ${a}`,
  );
  expect([a, b].map((address) => accounts.balanceOf(address))).toEqual([10n, 5n]);
});
