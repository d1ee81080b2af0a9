/**
 * The body of a response as one pipeline:
 *
 *     socket → reused memory → count → stall guard → gunzip → cap
 *
 * Each stage is an async generator that pulls from the one before it, so that a slow reader slows down the socket. The
 * deadline and the end of the run act on the socket (request-clock.ts): its error passes through all stages.
 */

import type { Readable } from "node:stream";
import { FetchError } from "../../errors/fetch-error.ts";
import { quoted } from "../../wire/parse.ts";
import { flowing } from "./flowing.ts";
import { gunzipped } from "./gunzipped.ts";
import { peerError } from "./peer-error.ts";
import type { ReceiveBuffers } from "./receive-buffers.ts";
import { StallGuard } from "./stall-guard.ts";

export type Chunks = AsyncGenerator<Buffer, void, void>;

export interface BodyRules {
  /** The time over which a response must have received enough bytes. */
  readonly stallTimeoutMs: number;
  /** Called with the number of bytes of each chunk as received, before decompression. */
  readonly onBytes?: ((count: number) => void) | undefined;
  /** Bytes of the decompressed body. */
  readonly bytesMax?: number | undefined;
  /** Takes the memory of a chunk back when the next chunk is requested; if absent, chunks stay valid. */
  readonly buffers?: ReceiveBuffers | undefined;
}

/**
 * Returns the bytes of a response, decompressed, within the bounds on its size and speed.
 *
 * @throws FetchError
 */
export function responseBody(
  body: Readable,
  encoding: "identity" | "gzip",
  { stallTimeoutMs, onBytes, bytesMax, buffers }: BodyRules,
): Chunks {
  const isGzip = encoding === "gzip";
  const received = flowing(body, peerError);
  // Gunzip reads ahead, so its input must stay valid.
  const inMemory = isGzip || buffers === undefined ? received : buffers.reusing(received);
  const counted = onBytes === undefined ? inMemory : counting(inMemory, onBytes);
  const guarded = stallGuarded(counted, stallTimeoutMs);
  const plain = isGzip ? gunzipped(guarded) : guarded;
  return bytesMax === undefined ? plain : capped(plain, bytesMax);
}

/**
 * Returns the encoding of a response's body.
 *
 * @throws FetchError `not-http` for an encoding that was not requested
 */
export function encodingOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): "identity" | "gzip" {
  const encoding = String(headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding === "identity" || encoding === "") return "identity";
  if (encoding === "gzip" || encoding === "x-gzip") return "gzip";
  throw new FetchError("not-http", `the response's encoding is ${quoted(encoding)}, which was not requested`);
}

async function* counting(chunks: AsyncIterable<Buffer>, onBytes: (count: number) => void): Chunks {
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    yield chunk;
  }
}

async function* stallGuarded(chunks: AsyncIterable<Buffer>, stallTimeoutMs: number): Chunks {
  const guard = new StallGuard(stallTimeoutMs);
  guard.startWaiting();
  for await (const chunk of chunks) {
    guard.received(chunk.length);
    yield chunk;
    guard.startWaiting();
  }
}

async function* capped(chunks: AsyncIterable<Buffer>, bytesMax: number): Chunks {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new FetchError("too-large", `the response has more than ${bytesMax} bytes`);
    yield chunk;
  }
}
