/** Follows the transaction log over HTTP from a position on. */

import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { logEntryBytesMax, logPauseMs, logSilenceMaxMs } from "../../limits.ts";
import { type LogEntry, parseLogEntry } from "./log-entry.ts";

export interface LoggedEntry {
  readonly entry: LogEntry;
  /** The position after the entry, in bytes. */
  readonly position: number;
}

const lineEnd = 0x0a;

/**
 * Yields the entries from a position on, in the batches in which they arrive. Reconnects when the connection ends. Ends
 * when the signal is aborted.
 *
 * @param url of the log
 * @throws WireError where a line is not an entry
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

/** Yields complete lines. The next connection starts with an incomplete one. */
async function* linesFrom(
  agent: Agent,
  url: string,
  signal: AbortSignal,
): AsyncGenerator<readonly string[], void, void> {
  const { origin, pathname, search } = new URL(url);
  let rest: Buffer = Buffer.alloc(0);
  const response = await agent
    .request({ origin, path: pathname + search, method: "GET", signal })
    .catch(() => undefined);
  if (response === undefined) return;
  response.body.on("error", () => undefined);
  const chunks = (response.body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  try {
    if (response.statusCode !== 200) return;
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
    response.body.destroy();
  }
}
