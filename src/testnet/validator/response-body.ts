/**
 * Sends a long response: piece by piece, as fast as the client reads, so that a slow client costs a validator no
 * memory.
 */

import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { constants, createGzip } from "node:zlib";
import { bytesPerSecondMin } from "../../limits/http.ts";
import { responseStallMs } from "../limits.ts";
import type { Pieces } from "./fault-hooks.ts";

/** The size of the chunks to which pieces are joined. */
const chunkCharacters = 64 * 1024;

export interface BodyOptions {
  readonly isGzip?: boolean;
}

/** Writes the pieces, and ends the response. A client that disconnects before is not an error. */
export async function sendPieces(
  response: ServerResponse,
  pieces: Pieces,
  options: BodyOptions = {},
): Promise<void> {
  // At most one chunk is buffered; `pipeline` reads the next when the socket has drained.
  const body = Readable.from(chunksOf(pieces), { objectMode: false, highWaterMark: 1 });
  response.setHeader("Content-Type", "application/json");
  const watch = setInterval(endIfUnread(response), responseStallMs).unref();
  try {
    if (options.isGzip) {
      response.setHeader("Content-Encoding", "gzip");
      await pipeline(body, createGzip({ level: constants.Z_BEST_SPEED }), response);
    } else {
      await pipeline(body, response);
    }
  } catch {
    response.destroy();
  } finally {
    clearInterval(watch);
  }
}

/** Ends a response that the client does not read: it holds files and a response slot. */
function endIfUnread(response: ServerResponse): () => void {
  let before = 0;
  return () => {
    const written = response.socket?.bytesWritten ?? 0;
    const bytesMin = (bytesPerSecondMin * responseStallMs) / 1000;
    if (response.writableNeedDrain && written - before < bytesMin) response.destroy();
    before = written;
  };
}

/** Yields the pieces of `{"<key>":[<row>,<row>…]}`. */
export function* listPieces(key: string, rows: Iterable<string>): Generator<string> {
  yield `{${JSON.stringify(key)}:[`;
  let separator = "";
  for (const row of rows) {
    yield separator + row;
    separator = ",";
  }
  yield "]}";
}

async function* chunksOf(pieces: Pieces): AsyncGenerator<Buffer> {
  for await (const text of Symbol.iterator in pieces ? joined(pieces) : pieces) {
    yield Buffer.from(text);
    // Lets other requests and timers run, also while a client reads fast.
    await setImmediate();
  }
}

/** Yields larger pieces of the same text. Asynchronous pieces are not joined: the time at which they are sent matters. */
function* joined(pieces: Iterable<string>): Generator<string> {
  let text = "";
  for (const piece of pieces) {
    text += piece;
    if (text.length < chunkCharacters) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}
