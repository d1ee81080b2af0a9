/**
 * A long answer on its way to the socket: made piece by piece, and only as fast as the client reads, so
 * that a slow client costs a validator no memory.
 */

import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { constants, createGzip } from "node:zlib";
import type { Pieces } from "./conduct.ts";

/** Characters that are joined before they are written. */
const chunkCharacters = 64 * 1024;

/** A piece that sends what has been joined so far. */
export const flush = "";

export interface BodyOptions {
  readonly isGzip?: boolean;
}

/** Writes the pieces, and ends the answer. A client that goes away before is no error of ours. */
export async function sendPieces(
  response: ServerResponse,
  pieces: Pieces,
  options: BodyOptions = {},
): Promise<void> {
  // One chunk waits at most; `pipeline` asks for the next when the socket has drained.
  const body = Readable.from(chunksOf(pieces), { objectMode: false, highWaterMark: 1 });
  response.setHeader("Content-Type", "application/json");
  try {
    if (options.isGzip) {
      response.setHeader("Content-Encoding", "gzip");
      await pipeline(body, createGzip({ level: constants.Z_BEST_SPEED }), response);
    } else {
      await pipeline(body, response);
    }
  } catch {
    response.destroy();
  }
}

/** The pieces of `{"<key>":[<row>,<row>…]}`. */
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
  let text = "";
  for await (const piece of pieces) {
    text += piece;
    if (text.length < chunkCharacters && piece !== flush) continue;
    yield Buffer.from(text);
    text = "";
    // A fast client would otherwise keep all others, and the clock, from getting their turn.
    await setImmediate();
  }
  if (text !== "") yield Buffer.from(text);
}
