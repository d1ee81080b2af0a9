/**
 * What a library throws for one request becomes that peer's {@link FetchError}, whatever it is: an assertion of
 * the HTTP parser about bytes that the peer sent is as much the peer's as a refused connection is.
 *
 * The line between a peer's failure and a bug of ours is where an error comes from, not what it looks like. Only
 * calls into the library are converted here; an error that our own code throws while the library has called it
 * (a look-up, a listener) is marked by {@link asOurOwn} and stays a bug.
 */

import { FetchError, type FetchErrorDetail, type FetchErrorKind } from "../../errors/fetch-error.ts";
import { diskError, hintForLimit, systemCodeOf } from "../../errors/snapshot-error.ts";
import { quoted } from "../../wire/parse.ts";

const kindsByCode: Readonly<Record<string, FetchErrorKind>> = {
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
  ERR_ASSERTION: "not-http",
  UND_ERR_HEADERS_OVERFLOW: "too-large",
  UND_ERR_ABORTED: "aborted",
};

/** What Node.js and OpenSSL call a handshake that failed, or a certificate that does not hold. */
const tlsCodes =
  /^(EPROTO|ERR_SSL_|ERR_TLS_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_CERT|INVALID_CA|HOSTNAME_MISMATCH|PATH_LENGTH_)/;
/** The first bytes of the server are no TLS record. */
const noTlsCodes =
  /^(EPROTO|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL))$/;

const ourOwn = new WeakSet<object>();

/** Runs code of ours that a library calls: what it throws is our bug, and stays one. */
export function asOurOwn<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (typeof error === "object" && error !== null) ourOwn.add(error);
    throw error;
  }
}

/** What to throw in place of what a library threw for one request. That our own process is at a limit is no peer's. */
export function peerError(thrown: unknown): unknown {
  if (thrown instanceof FetchError || isOurOwn(thrown)) return thrown;
  const detail: FetchErrorDetail = { cause: thrown };
  const message = quoted(thrown instanceof Error ? thrown.message : String(thrown));
  if (hintForLimit(thrown) !== undefined) return diskError("cannot open a connection", thrown);
  const code = systemCodeOf(thrown);
  // The parser gives its errors a code only where it has one; an error without any comes out of its callbacks.
  if (code === undefined || code === "ERR_ASSERTION" || isParserError(thrown)) {
    return new FetchError("not-http", `the response is not valid HTTP: ${message}`, detail);
  }
  if (tlsCodes.test(code)) {
    // OpenSSL's own text is a line of its source file and of a thread's number.
    const what = noTlsCodes.test(code)
      ? "the server does not speak TLS there"
      : `the TLS handshake failed (${code})`;
    return new FetchError("tls", what, detail);
  }
  return new FetchError(kindsByCode[code] ?? "reset", message === "" ? code : message, detail);
}

function isParserError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "HTTPParserError";
}

function isOurOwn(thrown: unknown): boolean {
  for (let error = thrown; typeof error === "object" && error !== null; error = (error as Error).cause) {
    if (ourOwn.has(error)) return true;
  }
  return false;
}
