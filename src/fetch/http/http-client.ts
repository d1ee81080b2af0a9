/**
 * One HTTP request and its response as a stream of bytes, under bounds: time to connect, time without progress, size of
 * headers, ratio of compression.
 */

import type { Readable } from "node:stream";
import type { Agent, Dispatcher } from "undici";
import { FetchError } from "../../errors/fetch-error.ts";
import { headerBytesMax } from "../../limits/http.ts";
import { targetOf } from "./basic-auth.ts";
import { type AddressRule, makeConnector } from "./connector.ts";
import { peerError } from "./peer-error.ts";
import { ReceiveBuffers } from "./receive-buffers.ts";
import { RequestClock } from "./request-clock.ts";
import { type BodyRules, type Chunks, encodingOf, responseBody } from "./response-body.ts";
import { requireOk } from "./response-status.ts";

export interface HttpTimeouts {
  readonly connectTimeoutMs: number;
  /** Without a first byte, or without enough more of them. */
  readonly stallTimeoutMs: number;
}

export interface HttpRequest {
  /** `undefined` where there is no address; that, and text that is no URL, is `not-asked`. */
  readonly url: string | undefined;
  /** Sent as JSON with POST; without one the request is a GET. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** After which the request fails, whatever its progress. */
  readonly deadlineMs?: number;
  /** Called with the number of bytes of each chunk as received, before decompression. */
  readonly onBytes?: (count: number) => void;
}

/** How long connections may take to end. */
const closeMaxMs = 1_000;

/** A request in flight. */
interface InFlight {
  readonly origin: string;
  readonly clock: RequestClock;
  /** Once the head of its response was received. */
  body: Readable | undefined;
}

export class HttpClient {
  readonly #buffers = new ReceiveBuffers();
  readonly #timeouts: HttpTimeouts;
  readonly #rule: AddressRule | undefined;
  readonly #inFlight = new Set<InFlight>();
  readonly #addresses = new Map<string, string>();
  #agent: Agent | undefined;

  /** @param rule which addresses may be connected to; without one, all of them */
  constructor(timeouts: HttpTimeouts, rule?: AddressRule) {
    this.#timeouts = timeouts;
    this.#rule = rule;
  }

  /** Ends all connections, those in use included. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    // A library that has lost track of a connection must not keep a run from ending.
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMaxMs);
    });
    await Promise.race([this.#agent?.destroy(), timeUp]);
    clearTimeout(timer);
  }

  /** The address that the newest connection to a URL's server went to; `undefined` before the first one. */
  addressOf(url: string): string | undefined {
    return URL.canParse(url) ? this.#addresses.get(new URL(url).origin) : undefined;
  }

  /**
   * The body of a 200 response, decompressed, chunk by chunk. Leaving the loop early ends the connection.
   *
   * @throws FetchError; anything else is a bug of ours
   */
  stream(request: HttpRequest): Chunks {
    return this.#stream(request, {});
  }

  /**
   * As {@link stream}, for a caller that is done with a chunk when it requests the next one: then its memory is used
   * again.
   *
   * @throws FetchError
   */
  streamInPlace(request: HttpRequest): Chunks {
    return this.#stream(request, { buffers: this.#buffers });
  }

  /**
   * The whole body of a 200 response.
   *
   * @throws FetchError, `too-large` past `bytesMax`
   */
  async whole(request: HttpRequest, bytesMax: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#stream(request, { bytesMax })) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async *#stream(request: HttpRequest, rules: Pick<BodyRules, "buffers" | "bytesMax">): Chunks {
    const { connectTimeoutMs, stallTimeoutMs } = this.#timeouts;
    const url = parseUrl(request.url);
    const clock = new RequestClock(request.signal);
    const inFlight: InFlight = { origin: url.origin, clock, body: undefined };
    this.#inFlight.add(inFlight);
    try {
      if (request.deadlineMs !== undefined) clock.giveUpAfter(request.deadlineMs, "the request");
      // Interim responses (1xx) would reset the library's own timeout for ever.
      const beforeHeaders = clock.giveUpAfter(connectTimeoutMs + stallTimeoutMs, "the head of the response");
      const response = await this.#open(url, request.body, clock.signal);
      clearTimeout(beforeHeaders);
      inFlight.body = response.body;
      await requireOk(response, stallTimeoutMs);
      const { onBytes } = request;
      yield* responseBody(response.body, encodingOf(response.headers), { ...rules, stallTimeoutMs, onBytes });
    } catch (thrown) {
      throw clock.causeOf(thrown);
    } finally {
      clock.stop();
      this.#inFlight.delete(inFlight);
      // An abandoned body must not continue to arrive; an error of it is no longer of interest.
      inFlight.body?.on("error", () => undefined).destroy();
    }
  }

  async #open(url: URL, body: unknown, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    // Loaded with the first request: a command that only reads files does not need it.
    const undici = await import("undici");
    if (signal.aborted) throw new FetchError("aborted", "ended by us", { cause: signal.reason });
    this.#agent ??= this.#makeAgent(undici);
    const target = targetOf(url.href);
    const headers = {
      "accept-encoding": "gzip;q=0.5, identity",
      accept: "application/json",
      ...target.headers,
    };
    const common = { dispatcher: this.#agent, signal };
    const options =
      body === undefined
        ? { ...common, method: "GET" as const, headers }
        : {
            ...common,
            method: "POST" as const,
            headers: { ...headers, "content-type": "application/json" },
            body: JSON.stringify(body),
          };
    try {
      return await undici.request(target.url, options);
    } catch (thrown) {
      throw peerError(thrown);
    }
  }

  #makeAgent({ Agent, buildConnector }: Pick<typeof import("undici"), "Agent" | "buildConnector">): Agent {
    const { connectTimeoutMs: timeoutMs, stallTimeoutMs } = this.#timeouts;
    return new Agent({
      connect: makeConnector({
        build: buildConnector,
        timeoutMs,
        buffers: this.#buffers,
        rule: this.#rule,
        onConnected: (origin, address) => this.#addresses.set(origin, address),
        isUnread: (origin) => this.#to(origin).some(({ body }) => (body?.readableLength ?? 0) > 0),
        // The library does not report which request the connection was for: all requests to the origin end.
        onLost: (origin, failure) => {
          for (const { clock } of this.#to(origin)) clock.fail(failure);
        },
      }),
      headersTimeout: stallTimeoutMs,
      bodyTimeout: stallTimeoutMs,
      maxHeaderSize: headerBytesMax,
      pipelining: 1,
    });
  }

  #to(origin: string): InFlight[] {
    return [...this.#inFlight].filter((request) => request.origin === origin);
  }
}

function parseUrl(url: string | undefined): URL {
  if (url !== undefined && URL.canParse(url)) return new URL(url);
  throw new FetchError("not-asked", "its address cannot be used");
}
