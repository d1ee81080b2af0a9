/** Reads the copies of a list file one by one. */

import { createReadStream } from "node:fs";
import { accountIdAt } from "../canonical/copy-run.ts";
import { RecordFramer } from "../canonical/record-framer.ts";
import { diskError, SnapshotError } from "../errors/snapshot-error.ts";
import { recordBytesMax } from "../limits/response.ts";

/** An account of a list. */
export interface ListEntry {
  readonly id: string;
  /** Valid until the next entry is requested. */
  readonly copy: Buffer;
}

/** A copy escapes each quote of its data, and escapes it again if the data was text. */
export const copyBytesMax = 8 * recordBytesMax;

/** @throws SnapshotError `disk` */
export async function* readEntries(path: string): AsyncGenerator<ListEntry, void, void> {
  const framer = new RecordFramer(undefined, { recordBytesMax: copyBytesMax });
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      for (const copy of framer.push(chunk)) yield { id: accountIdAt(copy, 0), copy };
    }
  } catch (error) {
    throw error instanceof SnapshotError ? error : diskError(`cannot read ${path}`, error);
  }
}
