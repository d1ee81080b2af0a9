/** Requests artifacts from mirrors over HTTP, and receives each onto the disk. */

import type { CompletionOrder } from "../../artifact/partition-endings.ts";
import type { ResponseReceiver, ResponseReport } from "../../artifact/response-report.ts";
import type { HttpClient } from "../../fetch/http/http-client.ts";
import { gunzippedArtifact } from "../../mirror/gunzip-artifact.ts";
import { MirrorSnapshot, type WantedSnapshot } from "../../mirror/mirror-snapshot.ts";
import { type ArtifactStream, receiveArtifact, type WholeBeginning } from "../../mirror/receive-artifact.ts";
import { addressAfter, addressSpace } from "../../protocol/address.ts";
import type { Partition } from "../../protocol/brands.ts";
import { GLOBAL_PARTITION, partitionRange, type Shard } from "../../protocol/shard.ts";
import { scanBeginning } from "../../seed/beginning.ts";
import { mergeInThread } from "../../seed/merge-threads.ts";
import type { ArtifactRequest, MirrorTransport, ResponseObserver } from "../../sync/ports.ts";
import { observed, type TransportPlace } from "./snapshot-transport.ts";

export class ArtifactTransport implements MirrorTransport {
  readonly #client: HttpClient;
  readonly #place: TransportPlace;
  readonly #mirrors: readonly MirrorSnapshot[];

  /** @param urls of the mirrors, in the order of the run */
  constructor(client: HttpClient, urls: readonly string[], wanted: WantedSnapshot, place: TransportPlace) {
    this.#client = client;
    this.#place = place;
    this.#mirrors = urls.map((url) => new MirrorSnapshot(client, url, wanted));
  }

  request(
    request: ArtifactRequest,
    receiver: ResponseReceiver,
    observer: ResponseObserver,
  ): Promise<ResponseReport> {
    const { partition, heldBytes } = request;
    const { shard, hashKey, timestamp, incomingPath, nextResponse } = this.#place;
    return receiveArtifact(this.#streamOf(request, observer), receiver, {
      partition,
      hashKey,
      path: incomingPath(nextResponse(), partition, heldBytes === 0 ? "whole" : "rest"),
      complete: (order: CompletionOrder) => mergeInThread({ ...order, hashKey, timestamp }),
      wholeAccountsIn: (path, after) => wholeAccountsIn(path, after, partition, shard),
    });
  }

  #streamOf(request: ArtifactRequest, observer: ResponseObserver): ArtifactStream {
    let firstByte = request.heldBytes;
    const onStart = (first: number) => {
      firstByte = first;
    };
    return {
      chunks: observed(this.#chunks(request, observer, onStart), observer),
      firstByte: () => firstByte,
    };
  }

  async *#chunks(
    { mirror: place, partition, heldBytes, signal }: ArtifactRequest,
    observer: ResponseObserver,
    onStart: (firstByte: number) => void,
  ): AsyncGenerator<Buffer, void, void> {
    const mirror = this.#mirrors[place];
    if (mirror === undefined) throw new RangeError(`no mirror ${place}`);
    const { url, isCompressed } = await mirror.artifact(partition, signal);
    const request = { url, signal, onBytes: (count: number) => observer.wire(count) };
    if (isCompressed) {
      onStart(0);
      yield* gunzippedArtifact(this.#client.stream(request));
      return;
    }
    const range = heldBytes === 0 ? undefined : { start: heldBytes, onStart };
    yield* this.#client.streamInPlace({ ...request, range });
  }
}

/** @param after the ID of an account before all accounts in the file */
async function wholeAccountsIn(
  path: string,
  after: string | undefined,
  partition: Partition,
  shard: Shard,
): Promise<WholeBeginning | undefined> {
  const { low, high } = partition === GLOBAL_PARTITION ? addressSpace : partitionRange(shard, partition);
  if (after !== undefined && after >= high) return undefined;
  const firstId = after === undefined ? low : addressAfter(after);
  const whole = await scanBeginning(path, { low: firstId, high }).catch(() => undefined);
  return whole === undefined ? undefined : { firstId, ...whole };
}
