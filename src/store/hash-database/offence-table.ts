/** The table of offences, with one row for each act, however often it is noticed. */

import {
  isOffenceKind,
  type OffenceEvidence,
  type OffenceKind,
  type RecordedOffence,
} from "../../errors/offence.ts";
import {
  databaseDetailBytesMax,
  databaseEvidenceBytesMax,
  databaseEvidenceValuesMax,
  databaseOffencesMax,
  databaseWordBytesMax,
  offenceAgeMaxMs,
  recordedOffencesMax,
} from "../../limits/database.ts";
import { gossipMessageBytesMax } from "../../limits/gossip.ts";
import { defaultJsonBounds } from "../../wire/json-bounds.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import type { SqliteRow } from "./sqlite-row.ts";
import { storedText } from "./stored-text.ts";

const NO_CYCLE = -1;
const NO_PARTITION = -2;

/** The farthest moment that a Date can hold. */
const dateMsMax = 8.64e15;

/** A text of this length has at most as many bytes as are read back. */
const detailCharactersMax = databaseDetailBytesMax / 4;

/** Two messages, and the text around them. */
const evidenceBytesMax = 2 * gossipMessageBytesMax + databaseDetailBytesMax;

const columns = `rowid AS id, ${storedText("node", databaseWordBytesMax)}, ${storedText("kind", databaseWordBytesMax)},
  ${wholeNumber("cycleNumber")}, ${wholeNumber("partitionId")}, ${wholeNumber("noticedMs")},
  ${storedText("detail", databaseDetailBytesMax)}, evidence IS NOT NULL AS hasEvidence`;

function wholeNumber(column: string): string {
  return `CASE WHEN typeof(${column}) = 'integer' THEN ${column} END AS ${column}`;
}

export class OffenceTable {
  readonly #file: SqliteFile;
  readonly #onSkipped: (what: string) => void;

  /** @param onSkipped called for rows that cannot be used */
  constructor(file: SqliteFile, onSkipped: (what: string) => void) {
    this.#file = file;
    this.#onSkipped = onSkipped;
  }

  /** Adds an offence within a transaction of the caller. Returns whether it is new. */
  add(offence: RecordedOffence): boolean {
    const { node, kind, cycle = NO_CYCLE, partition = NO_PARTITION, whenMs, detail, evidence } = offence;
    const added = this.#file.run(
      "INSERT INTO offences VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      ...[node, kind, cycle, partition, whenMs, detail.slice(0, detailCharactersMax)],
      evidence === undefined ? null : JSON.stringify(evidence),
    );
    if (added > 0) this.#keepNewest(node, kind);
    return added > 0;
  }

  /** Returns all offences in ascending order of node, the newest of each node first. */
  all(): RecordedOffence[] {
    const rows = this.#file.all(
      (row) => row,
      `SELECT ${columns} FROM offences
       ORDER BY offences.node, offences.noticedMs DESC, offences.kind, offences.cycleNumber DESC, offences.partitionId
       LIMIT ?`,
      databaseOffencesMax + 1,
    );
    if (rows.length > databaseOffencesMax)
      this.#onSkipped(`all but the first ${databaseOffencesMax} offences`);
    const budget = { bytes: databaseEvidenceBytesMax, values: databaseEvidenceValuesMax };
    return rows.slice(0, databaseOffencesMax).flatMap((row) => this.#offenceOf(row, budget) ?? []);
  }

  /** Returns the kinds of each node's offences. */
  kinds(): Map<string, OffenceKind[]> {
    const kinds = new Map<string, OffenceKind[]>();
    const rows = this.#file.all(
      (row) => [row.text("node"), row.text("kind")] as const,
      `SELECT DISTINCT ${storedText("node", databaseWordBytesMax)}, ${storedText("kind", databaseWordBytesMax)}
       FROM offences LIMIT ?`,
      databaseOffencesMax,
    );
    for (const [node, kind] of rows) {
      if (node === undefined || kind === undefined || !isOffenceKind(kind)) continue;
      kinds.set(node, [...(kinds.get(node) ?? []), kind]);
    }
    return kinds;
  }

  /** Deletes offences older than {@link offenceAgeMaxMs}. */
  prune(nowMs: number): number {
    return this.#file.run("DELETE FROM offences WHERE noticedMs < ?", nowMs - offenceAgeMaxMs);
  }

  #keepNewest(node: string, kind: OffenceKind): void {
    this.#file.run(
      `DELETE FROM offences WHERE rowid IN (
         SELECT rowid FROM offences WHERE node = ? AND kind = ?
         ORDER BY noticedMs DESC, rowid DESC LIMIT -1 OFFSET ?)`,
      ...[node, kind, recordedOffencesMax],
    );
  }

  #offenceOf(row: SqliteRow, budget: EvidenceBudget): RecordedOffence | undefined {
    const id = row.count("id");
    const [node, kind, detail] = ["node", "kind", "detail"].map((column) => row.text(column));
    const [cycle, partition, whenMs] = ["cycleNumber", "partitionId", "noticedMs"].map((column) =>
      row.integer(column),
    );
    const isUsable = node !== undefined && kind !== undefined && isOffenceKind(kind) && detail !== undefined;
    if (
      !isUsable ||
      cycle === undefined ||
      partition === undefined ||
      whenMs === undefined ||
      Math.abs(whenMs) > dateMsMax
    ) {
      this.#onSkipped(`the offence in row ${id}: it does not have the form that this program writes`);
      return undefined;
    }
    const evidence = row.count("hasEvidence") === 1 ? this.#evidenceOf(id, budget) : undefined;
    return {
      node,
      kind,
      whenMs,
      ...(cycle === NO_CYCLE ? {} : { cycle }),
      ...(partition === NO_PARTITION ? {} : { partition }),
      detail,
      ...(evidence === undefined ? {} : { evidence }),
    };
  }

  #evidenceOf(id: number, budget: EvidenceBudget): OffenceEvidence | undefined {
    const bytesMax = Math.min(evidenceBytesMax, budget.bytes);
    const text = this.#file.get(
      (row) => row.text("evidence"),
      `SELECT CASE WHEN typeof(evidence) = 'text' AND octet_length(evidence) <= ? THEN CAST(evidence AS BLOB) END AS evidence
       FROM offences WHERE rowid = ?`,
      ...[bytesMax, id],
    );
    const evidence = text === undefined ? undefined : parseEvidence(text, budget);
    if (evidence === undefined) {
      this.#onSkipped(
        `the evidence in row ${id} of the offences: it is damaged, or there is too much evidence`,
      );
    }
    return evidence;
  }
}

/** How much evidence may still be read: all of it is in memory at once. */
interface EvidenceBudget {
  bytes: number;
  values: number;
}

function parseEvidence(text: string, budget: EvidenceBudget): OffenceEvidence | undefined {
  try {
    const bounds = { ...defaultJsonBounds, valuesMax: Math.min(defaultJsonBounds.valuesMax, budget.values) };
    const evidence = parseJson(text, "evidence", bounds);
    if (!isEvidence(evidence)) return undefined;
    budget.bytes -= text.length;
    budget.values -= countValues(text);
    return evidence;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Returns at least the number of values in a JSON text. */
function countValues(text: string): number {
  let values = 1;
  for (let i = 0; i < text.length; i++) if (",[{".includes(text.charAt(i))) values++;
  return values;
}

function isEvidence(value: unknown): value is OffenceEvidence {
  if (typeof value !== "object" || value === null || !("messages" in value)) return false;
  const areObjects = Array.isArray(value.messages) && value.messages.every(isObject);
  return areObjects && (!("sentHash" in value) || typeof value.sentHash === "string");
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
