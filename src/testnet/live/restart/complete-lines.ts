/** Reads the complete lines of a file to which a cluster appended until it ended, perhaps in the middle of a line. */

import { createReadStream } from "node:fs";
import { SnapshotError } from "../../../errors/snapshot-error.ts";
import { logEntryBytesMax } from "../../limits.ts";

export interface FileLine {
  readonly text: string;
  /** The offset of the next line, in bytes. */
  readonly next: number;
}

const lineEnd = 0x0a;

/**
 * @param from the offset of a line
 * @param bytesMax of one line
 * @throws SnapshotError `configuration` if the file cannot be read, or has a longer line
 */
export async function* completeLines(
  path: string,
  from = 0,
  bytesMax: number = logEntryBytesMax,
): AsyncGenerator<FileLine, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  let position = from;
  try {
    for await (const chunk of createReadStream(path, { start: from }) as AsyncIterable<Buffer>) {
      const bytes = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = bytes.indexOf(lineEnd); end >= 0; end = bytes.indexOf(lineEnd, start)) {
        position += end + 1 - start;
        yield { text: bytes.toString("utf8", start, end), next: position };
        start = end + 1;
      }
      rest = bytes.subarray(start);
      if (rest.length > bytesMax) throw new Error(`a line has more than ${bytesMax} bytes`);
    }
  } catch (cause) {
    if (cause instanceof SnapshotError) throw cause;
    throw new SnapshotError("configuration", `cannot read ${path}`, {
      cause,
      hint: "Give the directory of the cluster whose snapshot it is with --resume.",
    });
  }
}
