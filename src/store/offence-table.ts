/** The offences in the hash database: each act once, however often it is noticed. */

import { offenceAgeMaxMs, recordedOffencesMax } from "../model/limits.ts";
import type { OffenceEvidence, OffenceKind, RecordedOffence } from "../model/offence.ts";
import type { SqliteFile } from "./sqlite-file.ts";

const NO_CYCLE = -1;
const NO_PARTITION = -2;

interface Row {
  readonly node: string;
  readonly kind: OffenceKind;
  readonly cycleNumber: number;
  readonly partitionId: number;
  readonly noticedMs: number;
  readonly detail: string;
  readonly evidence: string | null;
}

export class OffenceTable {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  /** Within a transaction of the caller's. Answers whether it is new. */
  add(offence: RecordedOffence): boolean {
    const { node, kind, cycle = NO_CYCLE, partition = NO_PARTITION, whenMs, detail, evidence } = offence;
    const added = this.#file.run(
      "INSERT INTO offences VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      ...[node, kind, cycle, partition, whenMs, detail],
      evidence === undefined ? null : JSON.stringify(evidence),
    );
    if (added > 0) this.#keepNewest(node, kind);
    return added > 0;
  }

  /** In ascending order of node, the newest of each first. */
  all(): RecordedOffence[] {
    return this.#file
      .all<Row>("SELECT * FROM offences ORDER BY node, noticedMs DESC, kind, cycleNumber DESC, partitionId")
      .map(offenceOf);
  }

  /** Node → the kinds of what it did. */
  kinds(): Map<string, OffenceKind[]> {
    const kinds = new Map<string, OffenceKind[]>();
    for (const { node, kind } of this.#file.all<Row>("SELECT DISTINCT node, kind FROM offences")) {
      kinds.set(node, [...(kinds.get(node) ?? []), kind]);
    }
    return kinds;
  }

  /** Forgets what is older than {@link offenceAgeMaxMs}. */
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
}

function offenceOf(row: Row): RecordedOffence {
  const { node, kind, cycleNumber, partitionId, noticedMs, detail, evidence } = row;
  return {
    node,
    kind,
    whenMs: noticedMs,
    ...(cycleNumber === NO_CYCLE ? {} : { cycle: cycleNumber }),
    ...(partitionId === NO_PARTITION ? {} : { partition: partitionId }),
    detail,
    ...(evidence === null ? {} : { evidence: JSON.parse(evidence) as OffenceEvidence }),
  };
}
