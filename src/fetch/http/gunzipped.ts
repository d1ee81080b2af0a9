/** Decompresses a gzip body, under bounds on the ratio of its output to its input. */

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { FetchError } from "../../errors/fetch-error.ts";
import { systemCodeOf } from "../../errors/snapshot-error.ts";
import { gzipIdleBytesMax, gzipRatioFromBytes, gzipRatioMax } from "../../limits/http.ts";
import { peerError } from "./peer-error.ts";

/**
 * Decompresses a body piece by piece, within the bound on its ratio.
 *
 * @throws FetchError, or any error of `compressed`
 */
export async function* gunzipped(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let bytesIn = 0;
  let bytesOut = 0;
  const gunzip = createGunzip();
  const counted = (async function* () {
    for await (const chunk of compressed) {
      bytesIn += chunk.length;
      if (bytesIn > bytesOut + gzipIdleBytesMax) {
        throw new FetchError("too-large", `gzip: ${bytesIn} bytes decompressed to only ${bytesOut}`);
      }
      yield chunk;
    }
  })();
  const piped = pipeline(Readable.from(counted, { objectMode: false }), gunzip);
  piped.catch(() => undefined); // the loop below throws it
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      bytesOut += chunk.length;
      if (bytesOut > gzipRatioFromBytes && bytesOut > gzipRatioMax * bytesIn) {
        throw new FetchError(
          "too-large",
          `gzip: ${bytesIn} bytes decompressed to ${bytesOut}, more than ${gzipRatioMax} for one`,
        );
      }
      yield chunk;
    }
    await piped;
  } catch (thrown) {
    // Errors of zlib are about the bytes; other errors are those of `compressed`.
    throw systemCodeOf(thrown)?.startsWith("Z_") ? peerError(thrown) : thrown;
  } finally {
    gunzip.destroy();
  }
}
