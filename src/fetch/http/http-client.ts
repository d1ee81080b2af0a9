/**
 * Sends HTTP requests and returns each response as a stream of bytes, under bounds on the time to connect, the time
 * without progress, the size of headers, and the ratio of compression.
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
import { RequestTrace } from "./request-trace.ts";
import { type BodyRules, type Chunks, encodingOf, responseBody } from "./response-body.ts";
import { firstByteOf, requireOk } from "./response-status.ts";

export interface HttpTimeouts {
  readonly connectTimeoutMs: number;
  /** The longest time without a first byte, or without enough further bytes. */
  readonly stallTimeoutMs: number;
}

export interface HttpRequest {
  /** A request without a valid URL fails with the kind `not-asked`. */
  readonly url: string | undefined;
  /** Sent as JSON with POST; if absent, the request is a GET. */
  readonly body?: unknown;
  /** Requests only a part of the body. */
  readonly range?: BodyRange | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The time after which the request fails, whatever its progress. */
  readonly deadlineMs?: number;
  /** Called with the number of bytes of each chunk as received, before decompression. */
  readonly onBytes?: (count: number) => void;
}

/** The bytes of a body from one on. */
export interface BodyRange {
  readonly start: number;
  /** Called before the first chunk, with the offset of its first byte: 0 if the server sends the whole body. */
  readonly onStart: (firstByte: number) => void;
}

/** How long connections may take to end. */
const closeMaxMs = 1_000;

/** A request in flight. */
interface InFlight {
  readonly origin: string;
  readonly clock: RequestClock;
  /** `undefined` until the head of the response is received. */
  body: Readable | undefined;
}

export class HttpClient {
  readonly #buffers = new ReceiveBuffers();
  readonly #timeouts: HttpTimeouts;
  readonly #rule: AddressRule | undefined;
  readonly #inFlight = new Set<InFlight>();
  readonly #addresses = new Map<string, string>();
  #agent: Agent | undefined;

  /** @param rule the addresses that connections may go to; if absent, all of them */
  constructor(timeouts: HttpTimeouts, rule?: AddressRule) {
    this.#timeouts = timeouts;
    this.#rule = rule;
  }

  /** Ends all connections, those in use included. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    // If the library has lost track of a connection, the run must end nevertheless.
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
   * Yields the decompressed body of a 200 response, or of a 206 response to a range. Leaving the loop early ends the connection.
   *
   * @throws FetchError; any other error is a bug of this program
   */
  stream(request: HttpRequest): Chunks {
    return this.#stream(request, {});
  }

  /**
   * As {@link stream}, but the memory of a chunk is reused when the caller requests the next one.
   *
   * @throws FetchError
   */
  streamInPlace(request: HttpRequest): Chunks {
    return this.#stream(request, { buffers: this.#buffers });
  }

  /**
   * Returns the whole body of a 200 response.
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
    const trace = new RequestTrace(request.body === undefined ? "GET" : "POST", url);
    const inFlight: InFlight = { origin: url.origin, clock, body: undefined };
    this.#inFlight.add(inFlight);
    try {
      if (request.deadlineMs !== undefined) clock.giveUpAfter(request.deadlineMs, "the request");
      // Interim responses (1xx) reset the library's own timeout.
      const beforeHeaders = clock.giveUpAfter(connectTimeoutMs + stallTimeoutMs, "the head of the response");
      const response = await this.#open(url, request, clock.signal);
      clearTimeout(beforeHeaders);
      inFlight.body = response.body;
      trace.head(response.statusCode);
      const okStatus = request.range === undefined ? 200 : 206;
      await requireOk(response, { stallTimeoutMs, onBytes: (count) => trace.received(count) }, okStatus);
      request.range?.onStart(firstByteOf(response, request.range.start));
      const onBytes = (count: number) => {
        trace.received(count);
        request.onBytes?.(count);
      };
      yield* responseBody(response.body, encodingOf(response.headers), { ...rules, stallTimeoutMs, onBytes });
      trace.complete();
    } catch (thrown) {
      const error = clock.causeOf(thrown);
      trace.failed(error);
      throw error;
    } finally {
      trace.end();
      clock.stop();
      this.#inFlight.delete(inFlight);
      // An abandoned body must not continue to arrive, and its errors are ignored.
      inFlight.body?.on("error", () => undefined).destroy();
    }
  }

  async #open(url: URL, { body, range }: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    // Loaded with the first request, because a command that only reads files does not need the library.
    const undici = await import("undici");
    if (signal.aborted) throw new FetchError("aborted", "aborted by this program", { cause: signal.reason });
    this.#agent ??= this.#makeAgent(undici);
    const target = targetOf(url.href);
    const headers = {
      "accept-encoding": "gzip;q=0.5, identity",
      accept: "application/json",
      // A range of compressed bytes is of no use.
      ...(range === undefined ? {} : { "accept-encoding": "identity", range: `bytes=${range.start}-` }),
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
        // The library does not report the request of a connection, so all requests to the origin fail.
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
