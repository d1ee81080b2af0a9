/**
 * A network that stopped some cycles after a snapshot: its archiver's databases, with real receipts, and what its state is
 * then. The receipts are signed by the keys of the snapshot's validators. The state is replayed here without the code of
 * the program.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { coveringNodes, makeShard, partitionOf } from "../../../src/index.ts";
import { canonicalTextOf } from "../../../src/protocol/crypto/canonical-text.ts";
import { hashText } from "../../../src/protocol/crypto/hash.ts";
import { signed } from "../../../src/protocol/crypto/signature.ts";
import { cycleMarker } from "../../../src/protocol/cycle-record.ts";
import { makeIdentities, makeJoiningIdentity } from "../../../src/testnet/cluster/network.ts";
import type { AccountMaker } from "../../../src/testnet/state/seeded-state.ts";
import type { Identity } from "../../../src/testnet/validator/identity.ts";
import { copiesOf, type StoredCopy } from "../../helpers/archiver-database.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";

export const settings = { nodes: 9, nodesPerConsensusGroup: 5, nodesPerEdge: 0, seed: "resume" };
export const snapshotCycle = 8;
const firstStart = 1_700_000_000;
const durationSeconds = 60;
export const endOf = (cycle: number) => (firstStart + (cycle + 1) * durationSeconds) * 1000;
/** The moment of the snapshot. */
export const snapshotMs = endOf(snapshotCycle);

/** A row of the archiver's table of receipts. */
export type Row = Record<string, string | number | null>;
type RecordRow = Record<string, unknown> & { counter: number; marker: string };

export interface StoredAccount extends StoredCopy {
  readonly cycleNumber: number;
}

const joining = makeJoiningIdentity(settings.seed, 1);
/** The nodes until cycle 12. Then the first one leaves, and another one is active. */
export const identities = makeIdentities(settings.seed, settings.nodes);
const changeCycle = 13;

export function nodesOf(cycle: number): Identity[] {
  if (cycle < changeCycle) return identities;
  return [...identities.slice(1), joining].sort((a, b) => (a.id < b.id ? -1 : 1));
}

const hash = (value: unknown) => hashText(canonicalTextOf(value));

/** The hash of an account as the archiver computes it. */
export function withHash(data: Record<string, unknown>): { data: Record<string, unknown>; hash: string } {
  const own = hash(data);
  return { data: { ...data, hash: own }, hash: own };
}

/** Makes an account whose data has its own time, as receipts need it, and the hash of itself. */
export const timedAccount: AccountMaker = (random, accountId, snapshotAt, isGlobal) => {
  const timestamp = snapshotAt - 100_000 - random.below(1_000_000);
  const { data, hash: stateId } = withHash({ accountType: 5, balance: random.below(1_000), timestamp });
  return { accountId, stateId, data, timestamp, syncData: { isGlobal } };
};

export interface Change {
  readonly accountId: string;
  readonly data: Record<string, unknown>;
  readonly hashBefore?: string;
}

export interface ReceiptOptions {
  readonly cycle?: number;
  /** The nodes that sign; by default the group. */
  readonly signers?: (group: readonly Identity[], others: readonly Identity[]) => readonly Identity[];
  /** Changes the row after it was signed. */
  readonly change?: (row: Row) => Row;
  readonly isGlobal?: boolean;
  /** The kind of a change of a global account. */
  readonly internalTXType?: number;
}

export class StoppedNetwork {
  readonly snapshot: string;
  readonly rows: Row[] = [];
  /** The state after all receipts so far. */
  readonly state: Map<string, StoredAccount>;
  readonly records: RecordRow[];
  #transactions = 0;

  constructor(snapshot: string) {
    this.snapshot = snapshot;
    this.state = new Map(
      copiesOf(snapshot).map((copy) => [copy.accountId, { ...copy, cycleNumber: snapshotCycle }]),
    );
    this.records = recordsAfter(snapshot);
  }

  /** An account of the snapshot that is not global. */
  account(number: number): StoredAccount {
    const account = [...this.state.values()].filter(({ isGlobal }) => isGlobal === 0)[number];
    if (account === undefined) throw new RangeError(`there is no account ${number}`);
    return account;
  }

  get global(): StoredAccount {
    const account = [...this.state.values()].find(({ isGlobal }) => isGlobal === 1);
    if (account === undefined) throw new RangeError("there is no global account");
    return account;
  }

  /** Executes a transaction that sets the balance of accounts, and keeps its receipt. Returns its ID. */
  transfer(accountIds: readonly string[], timestamp: number, options: ReceiptOptions = {}): string {
    const changes = accountIds.map((accountId) => ({
      accountId,
      data: {
        accountType: 5,
        balance: { dataType: "bi", value: this.#transactions.toString(16) },
        timestamp,
      },
    }));
    return this.execute(changes, timestamp, options);
  }

  execute(changes: readonly Change[], timestamp: number, options: ReceiptOptions = {}): string {
    const cycle =
      options.cycle ?? Math.floor(timestamp / 1000 / durationSeconds - firstStart / durationSeconds);
    const tx = { transaction: this.#transactions++ };
    const txId = hash(tx);
    // As the archiver keeps them: only for changes of global accounts.
    const before = changes.flatMap(({ accountId }) => {
      const stored = this.state.get(accountId);
      return stored === undefined
        ? []
        : [{ ...stored, data: JSON.parse(stored.data) as object, isGlobal: true }];
    });
    const after = changes
      .toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1))
      .map(({ accountId, data, hashBefore }) => {
        const stored = this.state.get(accountId);
        // The hash of the empty account that a validator makes first.
        const before = hashBefore ?? stored?.hash ?? hash({ accountType: 5, timestamp: 0 });
        return { accountId, before, isGlobal: stored?.isGlobal ?? 0, ...withHash(data) };
      });
    const states = after.map(({ accountId, data, hash: own, isGlobal }) => {
      const copy = { accountId, data: canonicalTextOf(data), hash: own, isGlobal, timestamp };
      this.state.set(accountId, { ...copy, cycleNumber: cycle });
      return { accountId, data, hash: own, timestamp, isGlobal: isGlobal === 1 };
    });
    const signedReceipt =
      options.isGlobal === true
        ? globalReceipt(txId, after[0] as Signed, { timestamp, cycle, options })
        : votedReceipt(txId, after, { cycle, options });
    const row: Row = {
      receiptId: txId,
      tx: JSON.stringify({ originalTxData: { tx }, txId, timestamp }),
      cycle,
      applyTimestamp: timestamp + 2_000,
      timestamp,
      signedReceipt: JSON.stringify(signedReceipt),
      afterStates: JSON.stringify(states),
      beforeStates: JSON.stringify(options.isGlobal === true ? before : []),
      appReceiptData: "{}",
      executionShardKey: after[0]?.accountId ?? "",
      globalModification: options.isGlobal === true ? 1 : 0,
    };
    this.rows.push(options.change?.(row) ?? row);
    return txId;
  }

  /** Writes the databases of the archiver. Returns the options of `resume`. */
  write(rows: readonly Row[] = this.rows, records: readonly RecordRow[] = this.records) {
    const archiverDb = temporaryDirectory();
    const receipts = join(archiverDb, "receipts.sqlite3");
    writeReceipts(receipts, rows);
    const cycles = new Database(join(archiverDb, "cycles.sqlite3"));
    cycles.exec(
      "CREATE TABLE cycles(cycleMarker TEXT NOT NULL UNIQUE PRIMARY KEY, counter NUMBER NOT NULL, cycleRecord JSON NOT NULL)",
    );
    const insert = cycles.prepare("INSERT INTO cycles VALUES (?, ?, ?)");
    for (const record of records) insert.run([record.marker, record.counter, JSON.stringify(record)]);
    cycles.close();
    return { archiverDb, receipts };
  }

  /** The accounts as the archiver should have them, in order of their IDs. */
  get expected(): StoredAccount[] {
    return [...this.state.values()].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  }
}

interface Signed {
  readonly accountId: string;
  readonly before: string;
  readonly hash: string;
}

interface Signing {
  readonly cycle: number;
  readonly options: ReceiptOptions;
}

/** A vote of each signer, as core makes it. */
function votedReceipt(txid: string, after: readonly Signed[], { cycle, options }: Signing) {
  const proposal = {
    applied: true,
    cant_preApply: false,
    accountIDs: after.map(({ accountId }) => accountId),
    beforeStateHashes: after.map(({ before }) => before),
    afterStateHashes: after.map((one) => one.hash),
    appReceiptDataHash: hash({ receipt: txid }),
    txid,
    executionShardKey: after[0]?.accountId ?? "",
  };
  const accounts = hashText(
    hash(proposal.accountIDs) + hash(proposal.beforeStateHashes) + hash(proposal.afterStateHashes),
  );
  const status = hash({ applied: true, cantApply: false });
  const voteHash = hashText(status + accounts + proposal.appReceiptDataHash + proposal.executionShardKey);
  const signers = signersOf(proposal.executionShardKey, cycle, options);
  const votes = signers.map(({ privateKey }, index) => ({
    voteTime: index,
    sign: signed({ txid, voteHash, voteTime: index }, privateKey).sign,
  }));
  return {
    proposal,
    proposalHash: voteHash,
    signaturePack: votes.map(({ sign }) => sign),
    voteOffsets: votes.map(({ voteTime }) => voteTime),
  };
}

function globalReceipt(
  txId: string,
  after: Signed,
  { cycle, options, timestamp }: Signing & { timestamp: number },
) {
  const tx = {
    address: after.accountId,
    addressHash: after.before,
    value: { isInternalTx: true, internalTXType: options.internalTXType ?? 4, timestamp },
    when: timestamp,
    source: after.accountId,
    txId,
    afterStateHash: after.hash,
  };
  const signers = signersOf(tx.source, cycle, options);
  return { signs: signers.map(({ privateKey }) => signed(tx, privateKey).sign), tx };
}

/** Returns the nodes that vote on an address, or those that a test chooses. */
export function signersOf(address: string, cycle: number, { signers }: ReceiptOptions): readonly Identity[] {
  const nodes = nodesOf(cycle);
  const shard = makeShard({ ...settings, numNodes: nodes.length });
  const group = new Set<number>(coveringNodes(shard, partitionOf(shard, address)));
  const [own, others] = [
    nodes.filter((_, index) => group.has(index)),
    nodes.filter((_, index) => !group.has(index)),
  ];
  return signers === undefined ? own : signers(own, others);
}

/** The records of the snapshot's evidence, and of the cycles until the network stopped. */
function recordsAfter(snapshot: string): RecordRow[] {
  const text = readFileSync(join(snapshot, "evidence/cycles.json"), "utf8");
  const { cycleInfo } = JSON.parse(text) as { cycleInfo: RecordRow[] };
  const records = cycleInfo.toSorted((a, b) => a.counter - b.counter);
  for (let counter = (records.at(-1)?.counter ?? 0) + 1; counter <= 15; counter++) {
    const { marker: previous, certificate: _certificate, ...before } = records.at(-1) as RecordRow;
    const { id, publicKey } = joining;
    const record = {
      ...before,
      ...{
        counter,
        previous,
        start: firstStart + counter * durationSeconds,
        networkDataHash: [],
        snapshot: false,
      },
      joinedConsensors:
        counter === changeCycle - 1 ? [{ id, publicKey, externalIp: "127.0.0.1", externalPort: 9 }] : [],
      activated: counter === changeCycle ? [id] : [],
      removed: counter === changeCycle ? [identities[0]?.id] : [],
    };
    records.push({ ...record, marker: cycleMarker(record) });
  }
  return records;
}

export function writeReceipts(path: string, rows: readonly Row[]): void {
  const database = new Database(path);
  database.exec(`CREATE TABLE receipts(receiptId TEXT NOT NULL UNIQUE PRIMARY KEY, tx JSON NOT NULL, cycle NUMBER NOT NULL,
    applyTimestamp BIGINT NOT NULL, timestamp BIGINT NOT NULL, signedReceipt JSON NOT NULL, afterStates JSON,
    beforeStates JSON, appReceiptData JSON, executionShardKey TEXT NOT NULL, globalModification BOOLEAN NOT NULL);
    CREATE INDEX receipts_cycle ON receipts(cycle ASC); CREATE INDEX receipts_timestamp ON receipts(timestamp ASC);
    CREATE INDEX receipts_cycle_timestamp ON receipts(cycle ASC, timestamp ASC)`);
  const insert = database.prepare(`INSERT INTO receipts VALUES (${"?, ".repeat(10)}?)`);
  database.exec("BEGIN");
  for (const row of rows) insert.run(Object.values(row));
  database.exec("COMMIT");
  database.close();
}
