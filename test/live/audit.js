/**
 * Checks a snapshot of a live cluster against what the cluster did: the state is computed again, from the
 * accounts that it began with and from the log of its transactions, by other code than the validators'.
 *
 *     node test/live/audit.js <cluster's directory> <snapshot's directory>
 *
 * One line of JSON: what was compared, and what is wrong. Ends with 1 where anything is.
 */

import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/** Problems that are listed. */
const problemsMax = 20;

/** The state at the end of a cycle: address → account as a snapshot should have it. */
export async function stateAfter(directory, cycle) {
  const accounts = new Map();
  for await (const { accountId, data, timestamp, syncData } of lines(join(directory, "genesis.jsonl"))) {
    const isGlobal = syncData?.isGlobal === true;
    const fields = isGlobal
      ? { fee: big(data.fee) }
      : { nonce: big(data.account.nonce), balance: big(data.account.balance) };
    accounts.set(accountId, { isGlobal, timestamp, ...fields });
  }
  for await (const entry of lines(join(directory, "transactions.jsonl"))) {
    if (entry.type === "cycle-end" && entry.cycle === cycle) return accounts;
    if (entry.type === "set-fee") {
      const account = accounts.get(entry.account);
      account.fee = BigInt(`0x${entry.fee}`);
      account.timestamp = entry.timestamp;
    }
    if (entry.type !== "transfer") continue;
    const amount = BigInt(`0x${entry.amount}`);
    const { timestamp } = entry;
    const from = accounts.get(entry.from);
    from.balance -= amount;
    from.nonce += 1n;
    from.timestamp = timestamp;
    const to = accounts.get(entry.to) ?? { isGlobal: false, nonce: 0n, balance: 0n };
    to.balance += amount;
    to.timestamp = timestamp;
    accounts.set(entry.to, to);
  }
  throw new Error(`the log has no end of cycle ${cycle}`);
}

/** What a snapshot holds, in the same form. */
async function stateOf(snapshot, numPartitions, problem) {
  const accounts = new Map();
  const size = Math.round(2 ** 32 / numPartitions);
  for (const file of (await readdir(snapshot)).sort()) {
    const partition = /^partition-(global|\d{5})\.json$/.exec(file)?.[1];
    if (partition === undefined) continue;
    for (const copy of JSON.parse(await readFile(join(snapshot, file), "utf8"))) {
      const { accountId, hash, isGlobal, timestamp } = copy;
      const data = JSON.parse(copy.data);
      const home = Math.min(Math.floor(Number.parseInt(accountId.slice(0, 8), 16) / size), numPartitions - 1);
      if (partition === "global" ? isGlobal !== 1 : isGlobal !== 0 || home !== Number(partition)) {
        problem(`${accountId} stands in ${file}`);
      }
      if (data.hash !== hash || data.timestamp !== timestamp) problem(`${accountId} contradicts itself`);
      if (accounts.has(accountId)) problem(`${accountId} is there twice`);
      const fields =
        isGlobal === 1
          ? { fee: big(data.fee) }
          : { nonce: big(data.account.nonce), balance: big(data.account.balance) };
      accounts.set(accountId, { isGlobal: isGlobal === 1, timestamp, ...fields });
    }
  }
  return accounts;
}

/** @returns what was compared, and `problems` */
export async function audit(directory, snapshot) {
  const problems = [];
  const problem = (text) => problems.push(text);
  const manifest = JSON.parse(await readFile(join(snapshot, "export-manifest.json"), "utf8"));
  const cycle = manifest.blockHeight;
  const expected = await stateAfter(directory, cycle);
  const held = await stateOf(snapshot, manifest.snapshot.numPartitions, problem);
  const totals = { expected: 0n, held: 0n };
  for (const [accountId, account] of expected) {
    totals.expected += account.balance ?? 0n;
    const other = held.get(accountId);
    if (other === undefined) problem(`${accountId} is missing`);
    else if (text(other) !== text(account)) {
      problem(`${accountId} is ${text(other)}, and should be ${text(account)}`);
    }
  }
  for (const [accountId, account] of held) {
    totals.held += account.balance ?? 0n;
    if (!expected.has(accountId)) problem(`${accountId} should not be there`);
  }
  if (totals.held !== totals.expected)
    problem(`the total is ${totals.held}, and should be ${totals.expected}`);
  return {
    cycle,
    accounts: held.size,
    totalBalance: String(totals.held),
    problems: problems.slice(0, problemsMax),
    ok: problems.length === 0,
  };
}

function text({ isGlobal, timestamp, fee, nonce, balance }) {
  return [isGlobal, timestamp, fee, nonce, balance].join("/");
}

function big({ value }) {
  return BigInt(`0x${value}`);
}

async function* lines(path) {
  for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = await audit(process.argv[2], process.argv[3]);
  process.stdout.write(`${JSON.stringify(found)}\n`);
  process.exitCode = found.ok ? 0 : 1;
}
