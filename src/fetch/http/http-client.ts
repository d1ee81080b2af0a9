/**
 * One HTTP request and its answer as a stream of bytes, under bounds: time to connect, time without
 * progress, size of headers, ratio of compression. Redirects are never followed: a node that answers
 * for another one would be believed in its name.
 */

import type { Readable } from "node:stream";
import type { Agent, Dispatcher } from "undici";
import { FetchError } from "../../errors/fetch-error.ts";
import { errorBodyBytesMax, headerBytesMax } from "../../limits/http.ts";
import { parseJson, quoted } from "../../wire/parse.ts";
import { targetOf } from "./basic-auth.ts";
import { type AddressRule, makeConnector } from "./connector.ts";
import { flowing } from "./flowing.ts";
import { gunzipped } from "./gunzipped.ts";
import { peerError } from "./peer-error.ts";
import { ReceiveBuffers } from "./receive-buffers.ts";
import { RequestClock } from "./request-clock.ts";
import { retryAfterMs } from "./retry-after.ts";
import { StallGuard } from "./stall-guard.ts";

export interface HttpTimeouts {
  readonly connectTimeoutMs: number;
  /** Without a first byte, or without enough more of them. */
  readonly stallTimeoutMs: number;
}

export interface HttpRequest {
  /** `undefined` where there is no address to ask; that, and text that is no URL, is `not-asked`. */
  readonly url: string | undefined;
  /** Sent as JSON with POST; without one it is a GET. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** After which the request is given up, however it goes. */
  readonly deadlineMs?: number;
  /** Told of the bytes that came over the wire, before decompression. */
  readonly onBytes?: (count: number) => void;
}

/** How long connections may take to end. */
const closeMaxMs = 1_000;

/** A request under way. */
interface UnderWay {
  readonly origin: string;
  readonly clock: RequestClock;
  /** Once the head of its response has come. */
  body: Readable | undefined;
}

export class HttpClient {
  readonly #buffers = new ReceiveBuffers();
  readonly #timeouts: HttpTimeouts;
  readonly #rule: AddressRule | undefined;
  readonly #underWay = new Set<UnderWay>();
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
  stream(request: HttpRequest): AsyncGenerator<Buffer, void, void> {
    return this.#stream(request, (chunks) => chunks);
  }

  async *#stream(
    request: HttpRequest,
    read: (chunks: AsyncIterable<Buffer>) => AsyncIterable<Buffer>,
  ): AsyncGenerator<Buffer, void, void> {
    const { connectTimeoutMs, stallTimeoutMs } = this.#timeouts;
    const url = parseUrl(request.url);
    const clock = new RequestClock(request.signal);
    const underWay: UnderWay = { origin: url.origin, clock, body: undefined };
    this.#underWay.add(underWay);
    try {
      if (request.deadlineMs !== undefined) clock.giveUpAfter(request.deadlineMs, "the request");
      // Interim responses (1xx) would put off the client's own timeout for ever.
      const beforeHeaders = clock.giveUpAfter(connectTimeoutMs + stallTimeoutMs, "the head of the answer");
      const answer = await this.#open(url, request.body, clock.signal);
      clearTimeout(beforeHeaders);
      underWay.body = answer.body;
      const chunks = flowing(answer.body, peerError);
      await requireOk(answer, chunks, stallTimeoutMs);
      const encoding = String(answer.headers["content-encoding"] ?? "identity").toLowerCase();
      const isPlain = encoding === "identity" || encoding === "";
      if (isPlain) yield* guarded(read(chunks), stallTimeoutMs, request);
      else if (encoding === "gzip" || encoding === "x-gzip")
        yield* gunzipped(guarded(chunks, stallTimeoutMs, request));
      else
        throw new FetchError(
          "not-http",
          `the answer's encoding is ${quoted(encoding)}, which was not asked for`,
        );
    } catch (thrown) {
      if (!(thrown instanceof FetchError)) throw thrown;
      if (request.signal?.aborted) throw new FetchError("aborted", "ended by us", { cause: thrown });
      throw clock.failure ?? thrown;
    } finally {
      clock.stop();
      this.#underWay.delete(underWay);
      // An abandoned body must not go on arriving; its error, if it has one, is no longer of interest.
      underWay.body?.on("error", () => undefined).destroy();
    }
  }

  /**
   * As {@link stream}, for whoever is done with a chunk when asking for the next one: then its memory is used
   * again.
   *
   * @throws FetchError
   */
  streamInPlace(request: HttpRequest): AsyncGenerator<Buffer, void, void> {
    return this.#stream(request, (chunks) => this.#buffers.reusing(chunks));
  }

  /** The whole body of a 200 answer; `too-large` past `bytesMax`. */
  async whole(request: HttpRequest, bytesMax: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.stream(request)) {
      size += chunk.length;
      if (size > bytesMax) throw new FetchError("too-large", `the answer has more than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async #open(url: URL, body: unknown, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    // Loaded with the first request: a command that reads files alone has no use for it.
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
        // Which request the connection was for, the library does not say: the origin's all end.
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

  #to(origin: string): UnderWay[] {
    return [...this.#underWay].filter((request) => request.origin === origin);
  }
}

function parseUrl(url: string | undefined): URL {
  if (url !== undefined && URL.canParse(url)) return new URL(url);
  throw new FetchError("not-asked", "its address cannot be used");
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

async function requireOk(
  { statusCode, headers }: Dispatcher.ResponseData,
  body: AsyncIterable<Buffer>,
  stallTimeoutMs: number,
): Promise<void> {
  if (statusCode === 200) return;
  if (statusCode >= 300 && statusCode < 400) {
    const location = quoted(String(headers["location"] ?? "nowhere"));
    throw new FetchError("redirect", `a redirect (${statusCode}) to ${location}, which is not followed`, {
      status: statusCode,
    });
  }
  const said = await beginningOf(guarded(body, stallTimeoutMs, {}));
  const waitMs = retryAfterMs(headers, Date.now());
  throw new FetchError("status", `status ${statusCode}${said === "" ? "" : `: ${quoted(said)}`}`, {
    status: statusCode,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
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
    const { error } = parseJson(text, "error body") as { error?: unknown };
    return typeof error === "string" ? error : text;
  } catch {
    return text;
  }
}
