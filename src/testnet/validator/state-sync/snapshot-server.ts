/** One server of snapshots (`serve`). Nothing that it sends is believed: the callers compare it with agreed hashes. */

import type { Agent } from "undici";
import { RecordFramer } from "../../../canonical/record-framer.ts";
import { ResponseError } from "../../../errors/response-error.ts";
import { messageOf } from "../../../errors/snapshot-error.ts";
import type { WrappedData } from "../../../protocol/account-copy.ts";
import { parseJson, WireError } from "../../../wire/parse.ts";
import { parseWrappedData } from "../../../wire/wrapped-data.ts";
import { snapshotCyclesBytesMax } from "../../limits.ts";
import { ServerError } from "./server-error.ts";
import { type ReceiveLimits, receive } from "./slow-body.ts";

export interface ServerConnection {
  readonly agent: Agent;
  readonly limits: ReceiveLimits;
  readonly signal?: AbortSignal | undefined;
}

/** The accounts of one request: those of a range of addresses, or the global ones. */
export type AccountRange = { readonly low: string; readonly high: string } | "global";

export class SnapshotServer {
  readonly url: string;
  readonly #connection: ServerConnection;

  /** @param url without a slash at its end */
  constructor(url: string, connection: ServerConnection) {
    this.url = url;
    this.#connection = connection;
  }

  /** Returns the answer to `GET /snapshots`. @throws ServerError */
  async snapshots(): Promise<unknown> {
    return await this.#json("/snapshots");
  }

  /** Returns the answer to `GET /snapshot-cycles`. @throws ServerError */
  async snapshotCycles(timestamp: number): Promise<unknown> {
    return await this.#json(`/snapshot-cycles?timestamp=${timestamp}`);
  }

  /**
   * Yields the accounts of `GET /snapshot-data`, as they arrive.
   *
   * @throws ServerError
   */
  async *snapshotData(timestamp: number, range: AccountRange): AsyncGenerator<WrappedData, void, void> {
    const selection = range === "global" ? "isGlobal=true" : `startAddr=${range.low}&endAddr=${range.high}`;
    const path = `/snapshot-data?timestamp=${timestamp}&${selection}`;
    const framer = new RecordFramer("snapshot");
    try {
      for await (const piece of this.#get(path)) {
        for (const record of framer.push(piece)) yield parseWrappedData(record, this.url);
      }
      framer.end();
    } catch (error) {
      throw errorOf(error);
    }
  }

  async #json(path: string): Promise<unknown> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of this.#get(path)) {
      bytes += piece.length;
      if (bytes > snapshotCyclesBytesMax) throw new ServerError("false", `${path}: the answer is too long`);
      pieces.push(piece);
    }
    try {
      return parseJson(Buffer.concat(pieces).toString("utf8"), this.url);
    } catch (error) {
      throw errorOf(error);
    }
  }

  /** @throws ServerError `failed`, or the reason of the signal */
  async *#get(path: string): AsyncGenerator<Buffer, void, void> {
    const { agent, limits, signal } = this.#connection;
    const { origin, pathname } = new URL(this.url);
    try {
      const response = await agent.request({
        origin,
        path: `${pathname.replace(/\/+$/, "")}${path}`,
        method: "GET",
        headersTimeout: limits.silenceMs,
        bodyTimeout: limits.silenceMs,
        ...(signal ? { signal } : {}),
      });
      response.body.on("error", () => undefined);
      try {
        if (response.statusCode !== 200) throw refusal(response.statusCode, path);
        yield* receive(response.body as AsyncIterable<Buffer>, limits);
      } finally {
        response.body.destroy();
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof ServerError
        ? error
        : new ServerError("failed", messageOf(error), { cause: error });
    }
  }
}

function refusal(status: number, path: string): ServerError {
  return new ServerError("failed", `it answers ${path.split("?", 1)[0]} with status ${status}`);
}

/** A truncated answer may be complete at the next attempt; one that is malformed is not that of an honest server. */
function errorOf(error: unknown): unknown {
  if (error instanceof ResponseError) {
    return new ServerError(error.kind === "truncated" ? "failed" : "false", error.message, { cause: error });
  }
  if (error instanceof WireError) return new ServerError("false", error.message, { cause: error });
  return error;
}
