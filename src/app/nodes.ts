/** Reads the records of nodes from a hash database. */

import type { RecordedOffence } from "../errors/offence.ts";
import type { Cycle } from "../protocol/brands.ts";
import { HashDatabase } from "../store/hash-database/hash-database.ts";

const skippedShownMax = 20;

export interface NodeRecord {
  /** The node's ID. */
  readonly node: string;
  /** The number of its signed messages in the database. */
  readonly messages: number;
  /** The cycle of its last message. */
  readonly lastCycle: Cycle | null;
  /** Newest first. */
  readonly offences: readonly RecordedOffence[];
}

export interface NodeRecords {
  readonly nodes: readonly NodeRecord[];
  /** The first unusable rows. */
  readonly warnings: readonly string[];
}

/**
 * Returns the records, those with the most offences first, then in ascending order of ID. Does not write to the file.
 *
 * @throws SnapshotError `configuration` if the file does not exist or is not a hash database
 */
export function readNodeRecords(path: string): NodeRecords {
  const warnings: string[] = [];
  const onSkipped = (problem: string) => {
    if (warnings.length < skippedShownMax) warnings.push(problem);
  };
  const database = HashDatabase.open(path, { isReadOnly: true, onSkipped });
  try {
    const records = new Map<
      string,
      { messages: number; lastCycle: Cycle | null; offences: RecordedOffence[] }
    >();
    for (const { node, messages, lastCycle } of database.senders()) {
      records.set(node, { messages, lastCycle, offences: [] });
    }
    for (const offence of database.offences()) {
      const record = records.get(offence.node) ?? { messages: 0, lastCycle: null, offences: [] };
      record.offences.push(offence);
      records.set(offence.node, record);
    }
    const nodes = [...records]
      .map(([node, record]) => ({ node, ...record }))
      .sort((a, b) => b.offences.length - a.offences.length || (a.node < b.node ? -1 : 1));
    return { nodes, warnings };
  } finally {
    database.close();
  }
}
