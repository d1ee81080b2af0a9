/** Requests partial snapshots over HTTP, and writes each response to the disk. */

import type { CompletionOrder } from "../../artifact/partition-endings.ts";
import { receiveResponse } from "../../artifact/receive-response.ts";
import type { ResponseReceiver, ResponseReport } from "../../artifact/response-report.ts";
import type { HttpClient } from "../../fetch/http/http-client.ts";
import type { Partition } from "../../protocol/brands.ts";
import { nodeUrl } from "../../protocol/node.ts";
import type { Shard } from "../../protocol/shard.ts";
import { mergeInThread } from "../../seed/merge-threads.ts";
import type { IncomingContent } from "../../store/partial-snapshot.ts";
import type { PartialSnapshotRequest, ResponseObserver, Transport } from "../../sync/ports.ts";

export interface TransportPlace {
  readonly shard: Shard;
  readonly hashKey: string;
  /** The moment of the snapshot, in milliseconds. */
  readonly timestamp: number;
  /** Returns the number of the next response. */
  readonly nextResponse: () => number;
  /** Returns the path of a partition that one response (by number) writes. */
  readonly incomingPath: (response: number, partition: Partition, content: IncomingContent) => string;
}

export class SnapshotTransport implements Transport {
  readonly #client: HttpClient;
  readonly #place: TransportPlace;

  constructor(client: HttpClient, place: TransportPlace) {
    this.#client = client;
    this.#place = place;
  }

  request(
    { node, body, signal }: PartialSnapshotRequest,
    receiver: ResponseReceiver,
    observer: ResponseObserver,
  ): Promise<ResponseReport> {
    const { shard, hashKey, timestamp, incomingPath, nextResponse } = this.#place;
    const response = nextResponse();
    const chunks = this.#client.streamInPlace({
      url: nodeUrl(node, "/snapshot"),
      body,
      signal,
      onBytes: (count) => observer.wire(count),
    });
    const pathOf = (partition: Partition) =>
      incomingPath(response, partition, receiver.base(partition) === undefined ? "whole" : "rest");
    const complete = (order: CompletionOrder) => mergeInThread({ ...order, hashKey, timestamp });
    return receiveResponse(observed(chunks, observer), receiver, { shard, hashKey, pathOf, complete });
  }
}

/** Passes chunks on, and reports when each is received and when the consumer waits for the next. */
export async function* observed(
  chunks: AsyncIterable<Buffer>,
  observer: ResponseObserver,
): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of chunks) {
    observer.received(chunk.length);
    yield chunk;
    observer.waiting();
  }
  observer.ended();
}
