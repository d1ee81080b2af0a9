/**
 * The cycle records in an archiver's database, as a chain that begins with the record of the snapshot's cycle: each record
 * states the marker of the one before. Nothing proves the newest of them: an archiver could make up records, but not
 * change one that the snapshot's evidence has.
 */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { shutdownRecordBytesMax } from "../../limits/restore.ts";
import { recordsOfCycleMax } from "../../limits/resume.ts";
import { asCycle } from "../../protocol/brands.ts";
import { CanonicalTextError } from "../../protocol/crypto/canonical-text.ts";
import { type CycleRecord, cycleMarker } from "../../protocol/cycle-record.ts";
import { ForeignDatabase } from "../../store/foreign-database.ts";
import { storedText } from "../../store/hash-database/stored-text.ts";
import { parseCycleRecords } from "../../wire/cycle-records.ts";
import { parseJson, WireError } from "../../wire/parse.ts";

export interface ChainStart {
  /** The record of the snapshot's cycle, as received. */
  readonly record: Readonly<Record<string, unknown>>;
  /** The markers of later records in the evidence, by number. */
  readonly evidence: readonly (readonly [counter: number, marker: string])[];
  readonly hashKey: string;
}

/** A record that operators can compare between archivers: it contains the hashes of all before. */
export interface ChainEnd {
  readonly counter: number;
  readonly marker: string;
}

interface Linked {
  readonly record: CycleRecord;
  readonly marker: string;
}

export class RecordChain {
  readonly #path: string;
  readonly #database: ForeignDatabase;
  readonly #select: string;
  readonly #hashKey: string;
  readonly #evidence: ReadonlyMap<number, string>;
  readonly #first: Linked;
  #last: Linked;

  /** @throws SnapshotError `chain` if the archiver has another record of the snapshot's cycle, `configuration` */
  constructor(path: string, { record, evidence, hashKey }: ChainStart) {
    this.#path = path;
    this.#hashKey = hashKey;
    this.#evidence = new Map(evidence);
    this.#database = ForeignDatabase.openImmutable(path);
    this.#database.requireTable("cycles", path);
    this.#select = `SELECT ${storedText("cycleRecord", shutdownRecordBytesMax)} FROM cycles WHERE counter = ? LIMIT ${recordsOfCycleMax}`;
    const [parsed] = parseCycleRecords([record], "the snapshot's record").records;
    if (parsed === undefined) throw this.#broken("the snapshot's record cannot be read");
    this.#first = { record: parsed, marker: cycleMarker(record, hashKey) };
    this.#last = this.#first;
    const own = this.#recordsOf(parsed.counter);
    if (own.length > 0 && !own.some(({ marker }) => marker === this.#first.marker)) {
      throw this.#broken(`its record of cycle ${parsed.counter} is another one than the snapshot's`);
    }
  }

  /** The newest record that was read. */
  get newest(): ChainEnd {
    const { record, marker } = this.#last;
    return { counter: record.counter, marker };
  }

  /**
   * Returns the record after the last one that was returned; `undefined` if the archiver has none.
   *
   * @throws SnapshotError `chain` if it does not follow
   */
  next(): CycleRecord | undefined {
    const { record: before, marker } = this.#last;
    const counter = before.counter + 1;
    const stored = this.#recordsOf(counter);
    if (stored.length === 0) return undefined;
    const following = stored.filter(({ record }) => record.previous === marker || isRestart(before, record));
    const [next] = following;
    if (next === undefined) throw this.#broken(`its record of cycle ${counter} does not follow that before`);
    if (following.length > 1) throw this.#broken(`it has several records of cycle ${counter}: a fork`);
    const known = this.#evidence.get(counter);
    if (known !== undefined && known !== next.marker) {
      throw this.#broken(`its record of cycle ${counter} is another one than in the snapshot's evidence`);
    }
    this.#last = next;
    return next.record;
  }

  /** Yields the records before the snapshot's, the newest first, as far as each is the one that the next one names. */
  *before(): Generator<CycleRecord, void, void> {
    let { record } = this.#first;
    while (record.counter > 0) {
      const { counter, previous } = record;
      const linked = this.#recordsOf(counter - 1).find(({ marker }) => marker === previous);
      if (linked === undefined) return;
      yield linked.record;
      record = linked.record;
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Returns the records of a cycle, each with its computed marker. */
  #recordsOf(counter: number): Linked[] {
    const source = `${this.#path}, record ${counter}`;
    return [...this.#database.rows(this.#select, counter)].map((row) => {
      const text = row.text("cycleRecord");
      if (text === undefined) throw this.#broken(`its record of cycle ${counter} is not a text of this size`);
      try {
        const [record] = parseCycleRecords([parseJson(text, source)], source).records;
        if (record === undefined) throw new WireError(source, "it is not a cycle record");
        if (record.counter !== asCycle(counter)) throw new WireError(source, "it has another number");
        return { record, marker: cycleMarker(record.received, this.#hashKey) };
      } catch (error) {
        if (error instanceof WireError || error instanceof CanonicalTextError)
          throw this.#broken(error.message);
        throw error;
      }
    });
  }

  #broken(problem: string): SnapshotError {
    return new SnapshotError("chain", `the cycle chain in ${this.#path} is broken: ${problem}`, {
      hint: "Nothing was replaced. Use the databases of another archiver, and check --hash-key of the run that assembled the snapshot.",
    });
  }
}

/** The first node of a restarted network hashes the shutdown record with settings that no record states. */
function isRestart(before: CycleRecord, record: CycleRecord): boolean {
  return before.received["mode"] === "shutdown" && record.received["mode"] === "restart";
}
