/** Decompresses the bytes of a compressed artifact. Some servers do so themselves, and say it in the head. */

import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import { gunzipped } from "../fetch/http/gunzipped.ts";

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Yields the plain bytes of an artifact that may be compressed.
 *
 * @throws ResponseError `malformed` or `too-large` for the compressed bytes: other artifacts may be right
 */
export async function* gunzippedArtifact(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  const source = chunks[Symbol.asyncIterator]();
  const head = await headOf(source);
  const all = continued(head, source);
  if (!head.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)) yield* all;
  else {
    try {
      yield* gunzipped(all);
    } catch (error) {
      throw artifactError(error);
    }
  }
}

async function headOf(source: AsyncIterator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < GZIP_MAGIC.length) {
    const next = await source.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* continued(head: Buffer, source: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, void> {
  try {
    if (head.length > 0) yield head;
    for (;;) {
      const next = await source.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await source.return?.();
  }
}

function artifactError(error: unknown): unknown {
  if (!(error instanceof FetchError)) return error;
  if (error.kind === "too-large") return new ResponseError("too-large", error.message, { cause: error });
  if (error.kind === "not-http") return new ResponseError("malformed", error.message, { cause: error });
  return error;
}
