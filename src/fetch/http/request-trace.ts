/**
 * The debug events of one HTTP request: `http.start` and `http.end`. Every request goes through `HttpClient`, which makes
 * a trace of each. A number connects the two events, because many requests are in flight at the same time.
 */

import { FetchError, type FetchErrorKind } from "../../errors/fetch-error.ts";
import { SnapshotError, type SnapshotErrorCode, systemCodeOf } from "../../errors/snapshot-error.ts";
import { debug } from "../../events/debug-channel.ts";
import { messageLine } from "../../text/printable.ts";
import { shownUrl } from "../../text/shown-url.ts";

export interface HttpStartEvent {
  readonly type: "http.start";
  readonly request: number;
  readonly method: "GET" | "POST";
  /** Without secrets. */
  readonly url: string;
}

export interface HttpEndEvent {
  readonly type: "http.end";
  readonly request: number;
  /**
   * `complete`: the whole body was read; `abandoned`: the program stopped reading it; otherwise the kind of the failure.
   */
  readonly outcome: "complete" | "abandoned" | FetchErrorKind | SnapshotErrorCode | "defect";
  /** The code of the system or of the HTTP library, such as `ECONNREFUSED`. */
  readonly code: string | undefined;
  /** `undefined` if no head of a response was received. */
  readonly status: number | undefined;
  /** Bytes of the body as received, before decompression. */
  readonly bytes: number;
  readonly durationMs: number;
}

/** The queries that this program writes. Others come from the user's URLs, and may contain a token. */
const ownQuery = /\?(?:cycle=\d{1,16}|activeOnly=true)$/;

export class RequestTrace {
  static #requests = 0;
  readonly #request = ++RequestTrace.#requests;
  readonly #startedMs = performance.now();
  #outcome: HttpEndEvent["outcome"] = "abandoned";
  #code: string | undefined;
  #status: number | undefined;
  #bytes = 0;

  constructor(method: HttpStartEvent["method"], url: URL) {
    debug(
      (): HttpStartEvent => ({
        type: "http.start",
        request: this.#request,
        method,
        url: shownRequest(url.href),
      }),
    );
  }

  head(status: number): void {
    this.#status = status;
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  complete(): void {
    this.#outcome = "complete";
  }

  failed(error: unknown): void {
    this.#outcome = failureOf(error);
    this.#code = systemCodeOf(error);
  }

  end(): void {
    debug(
      (): HttpEndEvent => ({
        type: "http.end",
        request: this.#request,
        outcome: this.#outcome,
        code: this.#code,
        status: this.#status,
        bytes: this.#bytes,
        durationMs: Math.round(performance.now() - this.#startedMs),
      }),
    );
  }
}

function failureOf(error: unknown): HttpEndEvent["outcome"] {
  if (error instanceof FetchError) return error.kind;
  return error instanceof SnapshotError ? error.code : "defect";
}

function shownRequest(url: string): string {
  const [query] = ownQuery.exec(url) ?? [];
  const shown = shownUrl(url);
  return messageLine(query === undefined ? shown : shown.replace("?***", query));
}
