/**
 * Sends a long response: piece by piece, as fast as the client reads, so that a slow client costs a validator no
 * memory.
 */

import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { constants, createGzip } from "node:zlib";
import { bytesPerSecondMin } from "../../limits/http.ts";
import { responseStallMs } from "../limits.ts";
import { type Pieces, ResponseCutError } from "./fault-hooks.ts";

/** The size of the chunks to which pieces are joined. */
const chunkCharacters = 64 * 1024;

export interface BodyOptions {
  readonly isGzip?: boolean;
}

/** Writes the pieces, and ends the response; after a {@link ResponseCutError}, the connection. A client that disconnects
 *  before is not an error. */
export async function sendPieces(
  response: ServerResponse,
  pieces: Pieces,
  options: BodyOptions = {},
): Promise<void> {
  // At most one chunk is buffered; `pipeline` reads the next when the socket has drained.
  let isCut = false;
  const chunks = untilCut(chunksOf(pieces), () => {
    isCut = true;
  });
  const body = Readable.from(chunks, { objectMode: false, highWaterMark: 1 });
  response.setHeader("Content-Type", "application/json");
  const watch = setInterval(endIfUnread(response), responseStallMs).unref();
  try {
    if (options.isGzip) {
      response.setHeader("Content-Encoding", "gzip");
      await pipeline(body, createGzip({ level: constants.Z_BEST_SPEED }), response, { end: false });
    } else {
      await pipeline(body, response, { end: false });
    }
    if (isCut) {
      await flushed(response);
      response.destroy();
    } else {
      response.end();
      await finished(response);
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

/** Resolves when the system has the whole text so far. */
async function flushed({ socket }: ServerResponse): Promise<void> {
  await new Promise<unknown>((resolve) => (socket === null ? resolve(null) : socket.write("", resolve)));
}

async function* untilCut(chunks: AsyncIterable<Buffer>, onCut: () => void): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof ResponseCutError)) throw error;
    onCut();
  }
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
