/**
 * One HTTP request and its answer as a stream of bytes, under bounds: time to connect, time without
 * progress, size of headers, ratio of compression. Redirects are never followed: a node that answers
 * for another one would be believed in its name.
 */

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Agent, buildConnector, Dispatcher } from "undici";
import { systemCodeOf } from "../model/failure.ts";
import {
  errorBodyBytesMax,
  gzipIdleBytesMax,
  gzipRatioFromBytes,
  gzipRatioMax,
  headerBytesMax,
} from "../model/limits.ts";
import { quoted } from "../wire/parse.ts";
import { targetOf } from "./basic-auth.ts";
import { FetchFailure, type FetchFailureDetail, type FetchFailureKind } from "./fetch-failure.ts";
import { flowing } from "./flowing.ts";
import { ReceiveBuffers } from "./receive-buffers.ts";
import { RequestClock } from "./request-clock.ts";
import { StallGuard } from "./stall-guard.ts";

export interface HttpTimeouts {
  readonly connectTimeoutMs: number;
  /** Without a first byte, or without enough more of them. */
  readonly stallTimeoutMs: number;
}

export interface HttpRequest {
  readonly url: string;
  /** Sent as JSON with POST; without one it is a GET. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** After which the request is given up, however it goes. */
  readonly deadlineMs?: number;
  /** Told of the bytes that came over the wire, before decompression. */
  readonly onBytes?: (count: number) => void;
}

export class HttpClient {
  readonly #buffers = new ReceiveBuffers();
  readonly #timeouts: HttpTimeouts;
  #agent: Agent | undefined;

  constructor(timeouts: HttpTimeouts) {
    this.#timeouts = timeouts;
  }

  /** Ends all connections, those in use included. */
  async close(): Promise<void> {
    await this.#agent?.destroy();
  }

  /**
   * The body of a 200 answer, decompressed, chunk by chunk. Leaving the loop early ends the connection.
   *
   * @throws FetchFailure
   */
  stream(request: HttpRequest): AsyncGenerator<Buffer, void, void> {
    return this.#stream(request, (body) => body);
  }

  async *#stream(
    request: HttpRequest,
    read: (body: Readable) => AsyncIterable<Buffer>,
  ): AsyncGenerator<Buffer, void, void> {
    const { connectTimeoutMs, stallTimeoutMs } = this.#timeouts;
    let raw: Readable | undefined;
    const clock = new RequestClock(request.signal);
    try {
      if (request.deadlineMs !== undefined) clock.giveUpAfter(request.deadlineMs, "the request");
      // Interim answers (1xx) would put off the client's own timeout for ever.
      const beforeHeaders = clock.giveUpAfter(connectTimeoutMs + stallTimeoutMs, "the head of the answer");
      const answer = await this.#open(request, clock.signal);
      clearTimeout(beforeHeaders);
      raw = answer.body;
      await requireOk(answer, stallTimeoutMs);
      const encoding = String(answer.headers["content-encoding"] ?? "identity").toLowerCase();
      const isPlain = encoding === "identity" || encoding === "";
      if (isPlain) yield* guarded(read(raw), stallTimeoutMs, request);
      else if (encoding === "gzip" || encoding === "x-gzip")
        yield* gunzipped(guarded(raw, stallTimeoutMs, request));
      else
        throw new FetchFailure(
          "not-http",
          `the answer's encoding is ${quoted(encoding)}, which was not asked for`,
        );
    } catch (thrown) {
      throw clock.failure ?? toFetchFailure(thrown, request.signal);
    } finally {
      clock.stop();
      // An abandoned body must not go on arriving; its error, if it has one, is no longer of interest.
      raw?.on("error", () => undefined).destroy();
    }
  }

  /**
   * As {@link stream}, for whoever is done with a chunk when asking for the next one: then its memory is used
   * again.
   *
   * @throws FetchFailure
   */
  streamInPlace(request: HttpRequest): AsyncGenerator<Buffer, void, void> {
    return this.#stream(request, (body) => this.#buffers.reusing(flowing(body)));
  }

  /** The whole body of a 200 answer; `too-large` past `bytesMax`. */
  async whole(request: HttpRequest, bytesMax: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.stream(request)) {
      size += chunk.length;
      if (size > bytesMax) throw new FetchFailure("too-large", `the answer has more than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  #connector(build: typeof buildConnector, timeout: number): buildConnector.connector {
    const secure = build({ timeout });
    const plain = build({ timeout, onread: this.#buffers.onread });
    return (options, callback) => (options.protocol === "https:" ? secure : plain)(options, callback);
  }

  async #open({ url: address, body }: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    // Loaded with the first request: a command that reads files alone has no use for it.
    const undici = await import("undici");
    signal.throwIfAborted();
    const { connectTimeoutMs, stallTimeoutMs } = this.#timeouts;
    this.#agent ??= new undici.Agent({
      connect: this.#connector(undici.buildConnector, connectTimeoutMs),
      headersTimeout: stallTimeoutMs,
      bodyTimeout: stallTimeoutMs,
      maxHeaderSize: headerBytesMax,
      pipelining: 1,
    });
    const { url, headers: authorization } = targetOf(address);
    const headers = {
      "accept-encoding": "gzip;q=0.5, identity",
      accept: "application/json",
      ...authorization,
    };
    const common = { dispatcher: this.#agent, signal };
    if (body === undefined) return undici.request(url, { ...common, method: "GET", headers });
    return undici.request(url, {
      ...common,
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }
}

async function* guarded(
  body: AsyncIterable<Buffer>,
  stallTimeoutMs: number,
  { onBytes }: Pick<HttpRequest, "onBytes">,
): AsyncGenerator<Buffer, void, void> {
  const guard = new StallGuard(stallTimeoutMs);
  guard.startWaiting();
  for await (const chunk of body) {
    onBytes?.(chunk.length);
    guard.received(chunk.length);
    yield chunk;
    guard.startWaiting();
  }
}

async function* gunzipped(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let bytesIn = 0;
  let bytesOut = 0;
  const gunzip = createGunzip();
  const counted = (async function* () {
    for await (const chunk of compressed) {
      bytesIn += chunk.length;
      if (bytesIn > bytesOut + gzipIdleBytesMax) {
        throw new FetchFailure("too-large", `gzip: ${bytesIn} bytes came, and only ${bytesOut} out of them`);
      }
      yield chunk;
    }
  })();
  const piped = pipeline(Readable.from(counted, { objectMode: false }), gunzip);
  piped.catch(() => undefined); // reported where the loop below meets it
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      bytesOut += chunk.length;
      if (bytesOut > gzipRatioFromBytes && bytesOut > gzipRatioMax * bytesIn) {
        throw new FetchFailure(
          "too-large",
          `gzip: ${bytesOut} bytes out of ${bytesIn}, more than ${gzipRatioMax} for one`,
        );
      }
      yield chunk;
    }
    await piped;
  } finally {
    gunzip.destroy();
  }
}

async function requireOk(answer: Dispatcher.ResponseData, stallTimeoutMs: number): Promise<void> {
  const { statusCode, headers, body } = answer;
  if (statusCode === 200) return;
  if (statusCode >= 300 && statusCode < 400) {
    const location = quoted(String(headers["location"] ?? "nowhere"));
    throw new FetchFailure("redirect", `a redirect (${statusCode}) to ${location}, which is not followed`, {
      status: statusCode,
    });
  }
  const said = await beginningOf(guarded(body, stallTimeoutMs, {}));
  const retryAfterMs = parseRetryAfter(headers["retry-after"]);
  throw new FetchFailure("status", `status ${statusCode}${said === "" ? "" : `: ${quoted(said)}`}`, {
    status: statusCode,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The `error` of an error body, or its beginning: a help for the reader, so whatever fails is left out. */
async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  try {
    for await (const chunk of body) {
      text += String(chunk);
      if (text.length > errorBodyBytesMax) break;
    }
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "string" ? error : text;
  } catch {
    return text;
  }
}

/** `Retry-After` is seconds or a date (RFC 9110, 10.2.3). */
function parseRetryAfter(header: string | string[] | undefined): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Errors that are the other side's, or the way's between us; anything else is a defect of ours. */
const networkCode =
  /^(?:E[A-Z]+|UND_ERR_\w+|Z_\w+|CERT_\w+|DEPTH_\w+|UNABLE_\w+|ERR_(?:TLS|SSL)_\w+|ERR_STREAM_PREMATURE_CLOSE)$/;

const kindsByCode: Readonly<Record<string, FetchFailureKind>> = {
  UND_ERR_CONNECT_TIMEOUT: "unreachable",
  ECONNREFUSED: "unreachable",
  ENOTFOUND: "unreachable",
  EAI_AGAIN: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ETIMEDOUT: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  UND_ERR_HEADERS_TIMEOUT: "stalled",
  UND_ERR_BODY_TIMEOUT: "stalled",
  UND_ERR_SOCKET: "reset",
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "reset",
  Z_BUF_ERROR: "reset",
  Z_DATA_ERROR: "not-http",
  Z_STREAM_ERROR: "not-http",
  UND_ERR_HEADERS_OVERFLOW: "too-large",
  UND_ERR_ABORTED: "aborted",
};

function toFetchFailure(thrown: unknown, signal: AbortSignal | undefined): unknown {
  if (thrown instanceof FetchFailure) return thrown;
  const detail: FetchFailureDetail = { cause: thrown };
  if (signal?.aborted) return new FetchFailure("aborted", "ended by us", detail);
  const code = systemCodeOf(thrown);
  const message = thrown instanceof Error ? quoted(thrown.message) : String(thrown);
  // undici gives its parser's errors a code only where the parser has one.
  if (thrown instanceof Error && thrown.name === "HTTPParserError") {
    return new FetchFailure("not-http", `the answer is no HTTP: ${message}`, detail);
  }
  if (code === undefined || !networkCode.test(code)) return thrown;
  return new FetchFailure(kindsByCode[code] ?? "reset", message === "" ? code : message, detail);
}
