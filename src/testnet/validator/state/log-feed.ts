/** Follows the transaction log from a position on, for as long as there is somebody who wants it. */

import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { logEntryBytesMax, logPauseMs, logSilenceMaxMs } from "../../limits.ts";
import { type LogEntry, parseLogEntry } from "./log-entry.ts";

export interface LoggedEntry {
  readonly entry: LogEntry;
  /** Of what follows it, in bytes. */
  readonly position: number;
}

const lineEnd = 0x0a;

/**
 * The entries from a position on, as many at once as came together. Whenever the connection ends it is made
 * again; it ends itself only by the signal.
 *
 * @param url of the log
 * @throws WireError where there is something else in it than entries
 */
export async function* followLog(
  url: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<readonly LoggedEntry[], void, void> {
  const agent = new Agent({ bodyTimeout: logSilenceMaxMs });
  let position = from;
  try {
    while (!signal.aborted) {
      for await (const lines of linesFrom(agent, `${url}?from=${position}`, signal)) {
        const entries: LoggedEntry[] = [];
        for (const line of lines) {
          position += Buffer.byteLength(line) + 1;
          entries.push({ entry: parseLogEntry(line, url), position });
        }
        if (entries.length > 0) yield entries;
      }
      await sleep(logPauseMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await agent.destroy();
  }
}

/** Whole lines; what the connection ends in the middle of is left for the next. */
async function* linesFrom(
  agent: Agent,
  url: string,
  signal: AbortSignal,
): AsyncGenerator<readonly string[], void, void> {
  const { origin, pathname, search } = new URL(url);
  let rest: Buffer = Buffer.alloc(0);
  // A connection that fails or ends is made again.
  const answer = await agent
    .request({ origin, path: pathname + search, method: "GET", signal })
    .catch(() => undefined);
  if (answer === undefined) return;
  answer.body.on("error", () => undefined);
  const chunks = (answer.body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  try {
    if (answer.statusCode !== 200) return;
    for (;;) {
      const next = await chunks.next().catch(() => undefined);
      if (next === undefined || next.done === true) return;
      const text = Buffer.concat([rest, next.value]);
      const end = text.lastIndexOf(lineEnd) + 1;
      rest = text.subarray(end);
      if (rest.length > logEntryBytesMax) return;
      if (end > 0) yield text.toString("utf8", 0, end - 1).split("\n");
    }
  } finally {
    answer.body.destroy();
  }
}
