/**
 * Converts the errors of the HTTP library for one request to a {@link FetchError}: a failed assertion of its parser about
 * the peer's bytes is a failure of the peer, like a refused connection.
 *
 * The origin of an error, not its form, separates a failure of the peer from a bug of this program. Only errors of calls
 * into the library are converted; {@link asOwnError} marks errors that this program throws in a callback of the library
 * (a look-up, a listener), which stay bugs.
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

/** Codes of Node.js and OpenSSL for a failed handshake, or an invalid certificate. */
const tlsCodes =
  /^(EPROTO|ERR_SSL_|ERR_TLS_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_CERT|INVALID_CA|HOSTNAME_MISMATCH|PATH_LENGTH_)/;
/** The first bytes of the server are not a TLS record. */
const noTlsCodes =
  /^(EPROTO|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL))$/;

const ownErrors = new WeakSet<object>();

/** Runs a callback of the library, and marks its errors as those of this program. */
export function asOwnError<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (typeof error === "object" && error !== null) ownErrors.add(error);
    throw error;
  }
}

/** Returns the error to throw for an error of the library. A limit of this process is not a failure of the peer. */
export function peerError(thrown: unknown): unknown {
  if (thrown instanceof FetchError || isOwnError(thrown)) return thrown;
  const detail: FetchErrorDetail = { cause: thrown };
  const message = quoted(thrown instanceof Error ? thrown.message : String(thrown));
  if (hintForLimit(thrown) !== undefined) return diskError("cannot open a connection", thrown);
  const code = systemCodeOf(thrown);
  // Errors without a code come from the callbacks of the parser.
  if (code === undefined || code === "ERR_ASSERTION" || isParserError(thrown)) {
    return new FetchError("not-http", `the response is not valid HTTP: ${message}`, detail);
  }
  if (tlsCodes.test(code)) {
    // OpenSSL's message is not useful: a thread number and a line of its source.
    const what = noTlsCodes.test(code)
      ? "the server does not speak TLS on this port"
      : `the TLS handshake failed (${code})`;
    return new FetchError("tls", what, detail);
  }
  return new FetchError(kindsByCode[code] ?? "reset", message === "" ? code : message, detail);
}

function isParserError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "HTTPParserError";
}

function isOwnError(thrown: unknown): boolean {
  for (let error = thrown; typeof error === "object" && error !== null; error = (error as Error).cause) {
    if (ownErrors.has(error)) return true;
  }
  return false;
}
