/**
 * Checks a snapshot of a live cluster against the cluster's transactions: it computes the state again from the genesis
 * accounts and the transaction log, by other code than the validators'.
 */

import { createReadStream } from "node:fs";
import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

const problemsMax = 20;

export interface Audit {
  readonly cycle: number;
  readonly accounts: number;
  readonly totalBalance: string;
  /** The first problems. */
  readonly problems: readonly string[];
  readonly ok: boolean;
}

interface BigInteger {
  readonly value: string;
}

type AccountData = { readonly hash: string; readonly timestamp: number } & (
  | { readonly fee: BigInteger; readonly account?: undefined }
  | { readonly account: { readonly nonce: BigInteger; readonly balance: BigInteger } }
);

interface GenesisAccount {
  readonly accountId: string;
  readonly data: AccountData;
  readonly timestamp: number;
}

interface AccountCopy {
  readonly accountId: string;
  readonly data: string;
  readonly hash: string;
  readonly isGlobal: 0 | 1;
  readonly timestamp: number;
}

type LogEntry =
  | { readonly type: "start" | "node-joined" | "node-activated" | "node-removed" | "resumed" }
  | { readonly type: "cycle-end"; readonly cycle: number }
  | { readonly type: "set-fee"; readonly account: string; readonly fee: string; readonly timestamp: number }
  | {
      readonly type: "transfer";
      readonly from: string;
      readonly to: string;
      readonly amount: string;
      readonly timestamp: number;
    };

type Account = { timestamp: number } & (
  | { readonly kind: "global"; fee: bigint }
  | { readonly kind: "balance"; nonce: bigint; balance: bigint }
);

type State = Map<string, Account>;

/**
 * @param directory the cluster's
 * @param snapshot the snapshot's directory
 * @param earlier the directories of the clusters that this one continues with `--resume`, the oldest first: their
 *   transactions are repeated from their own logs, and not from the log of the cluster that resumed them
 */
export async function audit(
  directory: string,
  snapshot: string,
  earlier: readonly string[] = [],
): Promise<Audit> {
  const problems: string[] = [];
  const problem = (text: string) => void problems.push(text);
  const manifest: { blockHeight: number; snapshot: { numPartitions: number } } = JSON.parse(
    await readFile(join(snapshot, "export-manifest.json"), "utf8"),
  );
  const cycle = manifest.blockHeight;
  const expected = await stateAfter([...earlier, directory], cycle);
  const held = await readState(snapshot, manifest.snapshot.numPartitions, problem);
  compare(expected, held, problem);
  const [expectedTotal, heldTotal] = [totalOf(expected), totalOf(held)];
  if (heldTotal !== expectedTotal) problem(`the total is ${heldTotal}, expected ${expectedTotal}`);
  return {
    cycle,
    accounts: held.size,
    totalBalance: String(heldTotal),
    problems: problems.slice(0, problemsMax),
    ok: problems.length === 0,
  };
}

function compare(expected: State, held: State, problem: (text: string) => void): void {
  for (const [accountId, account] of expected) {
    const other = held.get(accountId);
    if (other === undefined) problem(`${accountId} is missing`);
    else if (textOf(other) !== textOf(account)) {
      problem(`${accountId} is ${textOf(other)}, expected ${textOf(account)}`);
    }
  }
  for (const accountId of held.keys()) {
    if (!expected.has(accountId)) problem(`${accountId} is unexpected`);
  }
}

/** Computes the state at the end of a cycle of the last cluster: address → account. */
async function stateAfter(directories: readonly string[], cycle: number): Promise<State> {
  const state: State = new Map();
  for await (const line of linesOf(join(directories[0] ?? "", "genesis.jsonl"))) {
    const { accountId, data, timestamp }: GenesisAccount = JSON.parse(line);
    state.set(accountId, accountOf(data, timestamp));
  }
  for (const [place, directory] of directories.entries()) {
    const isLast = place === directories.length - 1;
    const entries = place === 0 ? entriesOf(directory) : afterResumption(directory);
    for await (const entry of entries) {
      if (isLast && entry.type === "cycle-end" && entry.cycle === cycle) return state;
      apply(entry, state);
    }
  }
  throw new Error(`the log does not contain the end of cycle ${cycle}`);
}

/** Yields what a cluster did itself, without the transactions that it repeated. */
async function* afterResumption(directory: string): AsyncGenerator<LogEntry, void, void> {
  let isOwn = false;
  for await (const entry of entriesOf(directory)) {
    if (isOwn) yield entry;
    if (entry.type === "resumed") isOwn = true;
  }
  if (!isOwn) throw new Error(`${directory} resumed no other cluster`);
}

/** Yields the complete lines of a log: a cluster may have been killed within the last one. */
async function* entriesOf(directory: string): AsyncGenerator<LogEntry, void, void> {
  const log = await open(join(directory, "transactions.jsonl"));
  try {
    const { size } = await log.stat();
    const { buffer } = await log.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    const isComplete = buffer.toString() === "\n";
    let last: string | undefined;
    for await (const line of log.readLines({ start: 0, end: Math.max(0, size - 1), autoClose: false })) {
      if (last !== undefined) yield JSON.parse(last);
      last = line;
    }
    if (last !== undefined && isComplete) yield JSON.parse(last);
  } finally {
    await log.close();
  }
}

function apply(entry: LogEntry, state: State): void {
  if (entry.type === "set-fee") {
    state.set(entry.account, { kind: "global", timestamp: entry.timestamp, fee: hex(entry.fee) });
  }
  if (entry.type !== "transfer") return;
  const amount = hex(entry.amount);
  const sender = balanceAccountOf(state, entry.from);
  sender.balance -= amount;
  sender.nonce += 1n;
  sender.timestamp = entry.timestamp;
  const recipient = balanceAccountOf(state, entry.to);
  recipient.balance += amount;
  recipient.timestamp = entry.timestamp;
}

/** Returns an account of a transfer; a new one where the state does not have it. */
function balanceAccountOf(state: State, accountId: string) {
  const account = state.get(accountId) ?? { kind: "balance", timestamp: 0, nonce: 0n, balance: 0n };
  if (account.kind !== "balance") throw new Error(`${accountId} is global, and takes part in a transfer`);
  state.set(accountId, account);
  return account;
}

/** Reads the state of a snapshot. */
async function readState(
  snapshot: string,
  numPartitions: number,
  problem: (text: string) => void,
): Promise<State> {
  const state: State = new Map();
  const addressesPerPartition = Math.round(2 ** 32 / numPartitions);
  for (const file of (await readdir(snapshot)).sort()) {
    const partition = /^partition-(global|\d{5})\.json$/.exec(file)?.[1];
    if (partition === undefined) continue;
    const copies: AccountCopy[] = JSON.parse(await readFile(join(snapshot, file), "utf8"));
    for (const { accountId, data: text, hash, isGlobal, timestamp } of copies) {
      const data: AccountData = JSON.parse(text);
      const prefix = Number.parseInt(accountId.slice(0, 8), 16);
      const home = Math.min(Math.floor(prefix / addressesPerPartition), numPartitions - 1);
      const expectedPartition = isGlobal === 1 ? "global" : String(home).padStart(5, "0");
      if (partition !== expectedPartition) problem(`${accountId} is in ${file}`);
      if (data.hash !== hash || data.timestamp !== timestamp) problem(`${accountId} contradicts its data`);
      if (state.has(accountId)) problem(`${accountId} occurs twice`);
      const account = accountOf(data, timestamp);
      if ((account.kind === "global") !== (isGlobal === 1))
        problem(`${accountId} has the data of another kind`);
      state.set(accountId, account);
    }
  }
  return state;
}

function accountOf(data: AccountData, timestamp: number): Account {
  if (data.account === undefined) return { kind: "global", timestamp, fee: hex(data.fee.value) };
  const { nonce, balance } = data.account;
  return { kind: "balance", timestamp, nonce: hex(nonce.value), balance: hex(balance.value) };
}

function totalOf(state: State): bigint {
  let total = 0n;
  for (const account of state.values()) if (account.kind === "balance") total += account.balance;
  return total;
}

function textOf(account: Account): string {
  return Object.values(account).join("/");
}

function hex(digits: string): bigint {
  return BigInt(`0x${digits}`);
}

function linesOf(path: string) {
  return createInterface({ input: createReadStream(path) });
}
