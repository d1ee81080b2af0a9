/**
 * Receives one response: bytes → records → canonical copies → their partitions. A partition with the agreed hash
 * is committed immediately, and stays committed whatever happens to the rest of the response. This module does not know
 * who sent it.
 */

import { ResponseReader } from "../canonical/response-reader.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { Shard } from "../protocol/shard.ts";
import { ResponseMerger, type ResponsePlace } from "./response-merger.ts";
import type { ResponseEnd, ResponseReceiver, ResponseReport } from "./response-report.ts";

/**
 * Receives the accounts of a response, and commits the partitions with the expected hashes.
 *
 * @throws SnapshotError `disk`; whatever the node does wrong is in the report
 */
export async function receiveResponse(
  chunks: AsyncIterable<Buffer>,
  receiver: ResponseReceiver,
  place: ResponsePlace,
): Promise<ResponseReport> {
  const merger = new ResponseMerger(receiver, place);
  try {
    return await merger.finish(await mergeResponse(chunks, merger, place.shard));
  } catch (thrown) {
    await merger.discardAll();
    throw thrown;
  }
}

async function mergeResponse(
  chunks: AsyncIterable<Buffer>,
  merger: ResponseMerger,
  shard: Shard,
): Promise<ResponseEnd> {
  const reader = new ResponseReader(shard);
  try {
    for await (const chunk of chunks) await merger.mergeAll(reader.read(chunk));
    await merger.mergeAll(reader.rest());
    reader.end();
    return { kind: "complete" };
  } catch (thrown) {
    return { kind: "failed", error: peersError(await mergeRest(merger, reader, thrown)) };
  } finally {
    reader.close();
  }
}

/**
 * Returns an error that is the peer's failure.
 *
 * @throws whatever is not the peer's failure: it is ours, or a bug
 */
function peersError(error: unknown): FetchError | ResponseError {
  if (error instanceof FetchError || error instanceof ResponseError) return error;
  throw error;
}

/** Merges what a response that broke off sent before. Returns the error that ended it. */
async function mergeRest(merger: ResponseMerger, reader: ResponseReader, thrown: unknown): Promise<unknown> {
  if (thrown instanceof ResponseError || thrown instanceof SnapshotError) return thrown;
  try {
    await merger.mergeAll(reader.rest());
    return thrown;
  } catch (earlier) {
    return earlier;
  }
}
