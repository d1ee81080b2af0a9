/** Requests the configuration (`/netconfig`) of a random sample of validators (PROTOCOL.md, Partitions). */

import { randomInt } from "node:crypto";
import pLimit from "p-limit";
import { FetchError } from "../errors/fetch-error.ts";
import {
  netconfigBytesMax,
  netconfigNodes,
  netconfigNodesAtOnce,
  netconfigProofNodes,
  netconfigTimeMaxMs,
} from "../limits/network.ts";
import type { HashHex } from "../protocol/brands.ts";
import { canonicalTextOf } from "../protocol/crypto/canonical-text.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { type ActiveNode, nodeUrl, shortId } from "../protocol/node.ts";
import { type NetworkConfig, parseNetconfig } from "../wire/netconfig.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import type { ShardingContext } from "./sharding.ts";

export interface NetconfigResponse {
  readonly node: ActiveNode;
  readonly config: NetworkConfig;
  /** As received. */
  readonly bytes: Buffer;
}

export interface NetconfigSample {
  /** The number of validators in the sample. */
  readonly size: number;
  readonly responses: readonly NetconfigResponse[];
  readonly failures: readonly { readonly node: ActiveNode; readonly reason: string }[];
  /** The first response that hashes to the expected value. It ends the other requests. */
  readonly proof: NetconfigResponse | undefined;
}

/**
 * Queries a random sample, so that no node can choose to be in it. With a hash that can prove a response, one honest
 * response suffices, so further validators are queried if the sample contains none.
 *
 * @param expectedHash the hash of the `config` object in a cycle record
 */
export async function sampleNetconfig(
  nodes: readonly ActiveNode[],
  expectedHash: HashHex | undefined,
  context: ShardingContext,
): Promise<NetconfigSample> {
  const shuffled = inRandomOrder(nodes);
  const sample = shuffled.slice(0, netconfigNodes);
  const sampling = new Sampling(expectedHash, context);
  await sampling.request(sample);
  const { responses, failures } = sampling.results();
  for (let next = sample.length; sampling.mayProve(next, shuffled.length); next += netconfigNodesAtOnce) {
    await sampling.request(shuffled.slice(next, next + netconfigNodesAtOnce));
  }
  return { size: sample.length, responses, failures, proof: sampling.proof };
}

class Sampling {
  readonly #expectedHash: HashHex | undefined;
  readonly #context: ShardingContext;
  /** Aborts the other requests once a response is proved. */
  readonly #proved = new AbortController();
  #responses: NetconfigResponse[] = [];
  #failures: { node: ActiveNode; reason: string }[] = [];
  proof: NetconfigResponse | undefined;

  constructor(expectedHash: HashHex | undefined, context: ShardingContext) {
    this.#expectedHash = expectedHash;
    this.#context = context;
  }

  /** Returns whether requests to the nodes from the given index on can still prove a response. */
  mayProve(next: number, numNodes: number): boolean {
    return (
      this.#expectedHash !== undefined &&
      this.proof === undefined &&
      next < Math.min(numNodes, netconfigProofNodes)
    );
  }

  async request(nodes: readonly ActiveNode[]): Promise<void> {
    await pLimit(netconfigNodesAtOnce).map([...nodes], (node) => this.#request(node));
  }

  results(): Pick<NetconfigSample, "responses" | "failures"> {
    return { responses: [...this.#responses], failures: [...this.#failures] };
  }

  async #request(node: ActiveNode): Promise<void> {
    const { client, signal } = this.#context;
    if (this.proof !== undefined) return;
    const url = nodeUrl(node, "/netconfig");
    const source = `/netconfig of ${shortId(node.id)}`;
    const signals = signal === undefined ? [this.#proved.signal] : [signal, this.#proved.signal];
    try {
      const request = { url, signal: AbortSignal.any(signals), deadlineMs: netconfigTimeMaxMs };
      const bytes = await client.whole(request, netconfigBytesMax);
      const received = parseJson(bytes.toString("utf8"), source);
      const response = { node, config: parseNetconfig(received, source), bytes };
      this.#responses.push(response);
      if (this.#expectedHash === undefined || this.proof !== undefined) return;
      if (configHashOf(received, this.#context.hashKey) !== this.#expectedHash) return;
      this.proof = response;
      this.#proved.abort();
    } catch (error) {
      if (!(error instanceof WireError || error instanceof FetchError)) throw error;
      const isAborted = error instanceof FetchError && error.kind === "aborted";
      if (isAborted && this.proof === undefined) throw error;
      this.#failures.push({ node, reason: error.message });
    }
  }
}

/**
 * Returns the hash of a response's `config`, for comparison with a record's `networkConfigHash`; `undefined` if it has
 * none.
 */
export function configHashOf(received: unknown, hashKey: string): HashHex | undefined {
  try {
    return hashText(canonicalTextOf((received as { config?: unknown }).config), hashKey);
  } catch {
    return undefined; // without canonical text, no node can have hashed it
  }
}

function inRandomOrder<T>(list: readonly T[]): T[] {
  const shuffled = [...list];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}
