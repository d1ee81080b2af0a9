/** Reads an index: accounts in order of (timestamp, accountId), by their IDs, and the global ones. */

import { setImmediate } from "node:timers/promises";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { indexRowsAtOnce } from "../../limits/serve-archiver.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { withSqliteErrors } from "../../store/hash-database/sqlite-error.ts";
import type { SqlValue } from "../../store/hash-database/sqlite-file.ts";
import type { SqliteRow } from "../../store/hash-database/sqlite-row.ts";
import { type DataForm, isDataForm, slotOf } from "./index-format.ts";

/** Where an account is, and what its copy must be. */
export interface IndexedAccount {
  /** 64 hex digits. */
  readonly accountId: string;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly form: DataForm;
  /** The length of the account in a response, with a comma. */
  readonly bytes: number;
  readonly place: CopyPlace;
  /** The beginning of the hash of the copy. */
  readonly digest: Uint8Array;
}

export interface CopyPlace {
  readonly rowid: number;
  readonly artifact: number;
  readonly offset: number;
  readonly length: number;
  /** Whether the index has the copy itself, because its artifact is compressed. */
  readonly isInIndex: boolean;
}

/** The accounts of a range of addresses, from a place in the order on. */
export interface AccountsFrom {
  /** 64 hex digits each, inclusive. */
  readonly accountStart: string;
  readonly accountEnd: string;
  /** The oldest timestamp, in milliseconds. */
  readonly tsStart: number;
  /** The newest timestamp, in milliseconds. */
  readonly tsEnd: number;
  /** Of the accounts with the oldest timestamp, the first one: 64 hex digits, or "" for all of them. */
  readonly accountOffset: string;
}

/** An account's place in the order. */
interface Position {
  readonly rowid: number;
  readonly timestamp: number;
  readonly accountId: Uint8Array;
}

/** The rows of a slot are read in portions that double. */
const firstPortion = 8;

const columns =
  "rowid, accountId, timestamp, form, bytes, artifact, offset, length, digest, copy IS NOT NULL AS isInIndex";

type Query = (values: readonly SqlValue[]) => SqliteRow[];

export class AccountIndex {
  readonly path: string;
  readonly #database: ForeignDatabase;
  readonly #after: Query;
  readonly #byRows: Query;
  readonly #byId: Query;
  readonly #copy: Query;

  private constructor(path: string, database: ForeignDatabase) {
    this.path = path;
    this.#database = database;
    this.#after = database.prepareAll(
      `SELECT rowid, timestamp, accountId FROM accounts INDEXED BY by_time
       WHERE slot = ? AND (timestamp, accountId) >= (?, ?) AND timestamp <= ? AND accountId BETWEEN ? AND ?
       ORDER BY timestamp, accountId LIMIT ?`,
    );
    this.#byRows = database.prepareAll(
      `SELECT ${columns} FROM accounts WHERE rowid IN (SELECT value FROM json_each(?))`,
    );
    this.#byId = database.prepareAll(`SELECT ${columns} FROM accounts WHERE accountId = ?`);
    this.#copy = database.prepareAll("SELECT copy FROM accounts WHERE rowid = ?");
  }

  /**
   * Opens an index that was checked.
   *
   * @throws SnapshotError `disk`
   */
  static open(path: string): AccountIndex {
    return withSqliteErrors(
      { path, isReadOnly: true },
      () => new AccountIndex(path, ForeignDatabase.openImmutable(path)),
    );
  }

  /** The newest timestamp, in milliseconds. */
  get newest(): number {
    return this.#read(() => this.#database.first("SELECT newest FROM snapshot")?.count("newest") ?? 0);
  }

  /**
   * Returns accounts in ascending order of (timestamp, accountId), after as many as are skipped. Others have their turn
   * meanwhile.
   *
   * @throws SnapshotError `disk`
   */
  async accountsFrom(from: AccountsFrom, skip: number, limit: number): Promise<IndexedAccount[]> {
    const slots: SlotReader[] = [];
    for (let slot = slotOf(from.accountStart); slot <= slotOf(from.accountEnd); slot++) {
      slots.push(new SlotReader((values) => this.#read(() => this.#after(values)), slot, from));
    }
    const rowids: number[] = [];
    for (let taken = 0; rowids.length < limit; taken++) {
      if (taken % indexRowsAtOnce === indexRowsAtOnce - 1) await setImmediate();
      const next = takeFirst(slots);
      if (next === undefined) break;
      if (taken >= skip) rowids.push(next.rowid);
    }
    // One query for all of them takes a fraction of the time of one for each.
    const rows = this.#read(() => this.#byRows([JSON.stringify(rowids)])).map(accountOf);
    const accounts = new Map(rows.map((account) => [account.place.rowid, account]));
    return rowids.map((rowid) => accounts.get(rowid) ?? this.#missing(rowid));
  }

  /** Returns the account with an ID of 64 hex digits; `undefined` if the snapshot has none. */
  accountWith(accountId: string): IndexedAccount | undefined {
    return this.#read(() => this.#byId([Buffer.from(accountId, "hex")])).map(accountOf)[0];
  }

  /**
   * Returns a copy that the index has itself.
   *
   * @throws SnapshotError `disk`
   */
  copyAt({ rowid }: CopyPlace): Buffer {
    const [row] = this.#read(() => this.#copy([rowid]));
    return Buffer.from(row?.bytes("copy") ?? []);
  }

  /** Returns global accounts, ascending by ID. */
  globalAccounts(limit: number): IndexedAccount[] {
    const select = `SELECT ${columns} FROM accounts WHERE isGlobal = 1 ORDER BY accountId LIMIT ?`;
    return this.#read(() => [...this.#database.rows(select, limit)].map(accountOf));
  }

  close(): void {
    this.#database.close();
  }

  #missing(rowid: number): never {
    throw new SnapshotError("disk", `${this.path} is damaged: it has no row ${rowid}`, {
      hint: "Start again: a damaged index is built again.",
    });
  }

  #read<T>(read: () => T): T {
    return withSqliteErrors({ path: this.path, isReadOnly: true }, read);
  }
}

/** Reads the accounts of a slot in order. */
class SlotReader {
  readonly #query: Query;
  readonly #slot: number;
  readonly #from: AccountsFrom;
  #portion = firstPortion;
  #rows: Position[];
  #next = 0;

  constructor(query: Query, slot: number, from: AccountsFrom) {
    this.#query = query;
    this.#slot = slot;
    this.#from = from;
    this.#rows = this.#read(from.tsStart, Buffer.from(from.accountOffset, "hex"));
  }

  /** The next account; `undefined` after the last one. */
  get head(): Position | undefined {
    return this.#rows[this.#next];
  }

  advance(): void {
    const last = this.#rows[this.#next++];
    if (this.#next < this.#rows.length || last === undefined || this.#rows.length < this.#portion) return;
    this.#portion = Math.min(this.#portion * 2, indexRowsAtOnce);
    // The first ID after the last one is the same with a zero byte behind it.
    this.#rows = this.#read(last.timestamp, Buffer.concat([last.accountId, Buffer.alloc(1)]));
    this.#next = 0;
  }

  #read(timestamp: number, accountId: Uint8Array): Position[] {
    const { accountStart, accountEnd, tsEnd } = this.#from;
    const range = [tsEnd, Buffer.from(accountStart, "hex"), Buffer.from(accountEnd, "hex")];
    return this.#query([this.#slot, timestamp, accountId, ...range, this.#portion]).map((row) => ({
      rowid: row.count("rowid"),
      timestamp: row.count("timestamp"),
      accountId: row.bytes("accountId"),
    }));
  }
}

/** Takes the first account of all slots. Slots ascend by address, so the earlier one has the smaller IDs. */
function takeFirst(slots: readonly SlotReader[]): Position | undefined {
  let first: SlotReader | undefined;
  let earliest = Number.POSITIVE_INFINITY;
  for (const slot of slots) {
    const head = slot.head;
    if (head === undefined || head.timestamp >= earliest) continue;
    first = slot;
    earliest = head.timestamp;
  }
  const taken = first?.head;
  first?.advance();
  return taken;
}

function accountOf(row: SqliteRow): IndexedAccount {
  const form = row.count("form");
  if (!isDataForm(form)) throw new TypeError(`the index has an unknown form ${form}`);
  return {
    accountId: Buffer.from(row.bytes("accountId")).toString("hex"),
    timestamp: row.count("timestamp"),
    form,
    bytes: row.count("bytes"),
    place: {
      rowid: row.count("rowid"),
      artifact: row.count("artifact"),
      offset: row.count("offset"),
      length: row.count("length"),
      isInIndex: row.count("isInIndex") === 1,
    },
    digest: row.bytes("digest"),
  };
}
