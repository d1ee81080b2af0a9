/**
 * What a cluster did between a snapshot and its end, from its directory. The snapshot of cycle c holds the transactions
 * that precede the end of cycle c in the log; all later ones follow it, whatever their timestamps.
 */

import { join } from "node:path";
import { SnapshotError } from "../../../errors/snapshot-error.ts";
import type { Cycle } from "../../../protocol/brands.ts";
import { WireError } from "../../../wire/parse.ts";
import { type LogEntry, parseLogEntry } from "../../validator/state/log-entry.ts";
import type { Transaction } from "../../validator/state/transaction.ts";
import type { AgreedSnapshot } from "../../validator/state-sync/agreed-snapshot.ts";
import { completeLines } from "./complete-lines.ts";
import { newestRecord } from "./recorded-cycles.ts";

export class EarlierCluster {
  readonly #log: string;
  /** Of the first entry after the snapshot, in bytes. */
  readonly #position: number;
  /** The newest cycle that began, and the marker of its record. */
  readonly newest: { readonly cycle: Cycle; readonly marker: string };

  private constructor(log: string, position: number, newest: EarlierCluster["newest"]) {
    this.#log = log;
    this.#position = position;
    this.newest = newest;
  }

  /** @throws SnapshotError `configuration` if the directory is not that of the snapshot's network */
  static async open(directory: string, agreed: AgreedSnapshot): Promise<EarlierCluster> {
    const log = join(directory, "transactions.jsonl");
    const { counter: cycle, marker = "" } = await newestRecord(directory);
    for await (const { entry, next } of entriesOf(log)) {
      if (entry.type !== "cycle-end" || entry.cycle !== agreed.cycle) continue;
      if (entry.timestamp !== agreed.timestamp || cycle <= agreed.cycle) break;
      return new EarlierCluster(log, next, { cycle, marker });
    }
    throw new SnapshotError(
      "configuration",
      `${log} does not contain the end of cycle ${agreed.cycle} at ${agreed.timestamp}, the moment of the snapshot`,
      { hint: "Give the directory of the cluster whose snapshot it is with --resume." },
    );
  }

  /** Yields the transactions after the snapshot, in their order. */
  async *transactions(): AsyncGenerator<Transaction, void, void> {
    for await (const { entry } of entriesOf(this.#log, this.#position)) {
      if (entry.type === "transfer" || entry.type === "set-fee") yield entry;
    }
  }
}

async function* entriesOf(
  log: string,
  from = 0,
): AsyncGenerator<{ readonly entry: LogEntry; readonly next: number }, void, void> {
  for await (const { text, next } of completeLines(log, from)) {
    try {
      yield { entry: parseLogEntry(text, log), next };
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      throw new SnapshotError("configuration", cause.message, {
        cause,
        hint: "Give the directory of the cluster whose snapshot it is with --resume.",
      });
    }
  }
}
