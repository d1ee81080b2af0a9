/** `cycles.jsonl`: the cycle records of a cluster, one a line, so that a restarted network continues its chain. */

import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, SnapshotError } from "../../../errors/snapshot-error.ts";
import { type CycleRecord, cycleMarker } from "../../../protocol/cycle-record.ts";
import { parseCycleRecords } from "../../../wire/cycle-records.ts";
import { parseJson } from "../../../wire/parse.ts";
import type { ChainedRecord } from "../../cluster/cycle-records.ts";
import { cycleRecordBytesMax } from "../../limits.ts";
import { completeLines } from "./complete-lines.ts";

const CYCLES_FILE = "cycles.jsonl";

export class RecordedCycles {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Creates the file in the directory of a cluster. */
  static async create(directory: string): Promise<RecordedCycles> {
    return new RecordedCycles(await open(join(directory, CYCLES_FILE), "ax"));
  }

  /** @throws the system's error of a full or broken disk */
  async append(records: readonly ChainedRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.#handle.appendFile(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/**
 * Returns the newest record of a cluster that has ended.
 *
 * @throws SnapshotError `configuration` if there is none, or if it is damaged
 */
export async function newestRecord(directory: string): Promise<CycleRecord> {
  const path = join(directory, CYCLES_FILE);
  let newest: string | undefined;
  for await (const { text } of completeLines(path, 0, cycleRecordBytesMax)) newest = text;
  const hint = "Give the directory of the cluster whose snapshot it is with --resume.";
  if (newest === undefined) throw new SnapshotError("configuration", `${path} has no record`, { hint });
  try {
    const { records } = parseCycleRecords({ cycleInfo: [parseJson(newest, path)] }, path);
    const [record] = records;
    if (record !== undefined && record.marker === cycleMarker(record.received)) return record;
    throw new Error("its newest record is not valid");
  } catch (cause) {
    throw new SnapshotError("configuration", `${path} is damaged: ${messageOf(cause)}`, { cause, hint });
  }
}
