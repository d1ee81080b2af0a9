/** Reads a list from an archiver or from a file, and checks its signature. */

import { FetchError } from "../errors/fetch-error.ts";
import { decideRetry } from "../errors/retry.ts";
import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { readFileBounded } from "../fetch/bounded-file.ts";
import type { HttpClient } from "../fetch/http/http-client.ts";
import { sleep } from "../fetch/sleep.ts";
import { listBytesMax, listTimeMaxMs } from "../limits/network.ts";
import { shownUrl } from "../text/shown-url.ts";
import { parseJson, quoted, WireError } from "../wire/parse.ts";
import type { ListSources } from "./network-options.ts";

/** A parsed list with the bytes as received. */
export type Received<T> = T & { readonly bytes: Buffer };

export interface ListContext {
  readonly client: HttpClient;
  readonly hashKey: string;
  readonly signal?: AbortSignal | undefined;
  readonly warn: (message: string) => void;
}

/** A list and its source. */
export interface ListRequest {
  /** If given, the list is read from this file instead of the archiver. */
  readonly file?: string | undefined;
  /** The path at the archiver. */
  readonly path: string;
  readonly body?: object;
  /** The error code if the required signature is missing or invalid, which is also that of `verify`. */
  readonly ifUnsigned: "node-list" | "chain";
}

/**
 * Reads a list from its file or from the archivers, and checks its signature.
 *
 * @throws SnapshotError
 */
export async function readList<T extends { received: unknown; responses?: readonly unknown[] }>(
  { file, path, body, ifUnsigned }: ListRequest,
  sources: ListSources,
  context: ListContext,
  parse: (received: unknown, source: string) => T | Promise<T>,
): Promise<Received<T>> {
  const isFile = file !== undefined;
  const url = isFile ? "" : archiverUrl(sources, path);
  const source = file ?? shownList(sources, path);
  const bytes = isFile
    ? await readListFile(file, context.signal)
    : await fetchList({ url, source, body }, context);
  let list: T;
  try {
    const received = parseJson(bytes.toString("utf8"), source);
    if (!isFile) requireNoRefusal(received, source);
    list = await parse(received, source);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const hint = isFile ? "Correct the file." : "Check that --archiver is the address of an archiver.";
    throw new SnapshotError("configuration", error.message, { cause: error, hint });
  }
  for (const response of list.responses ?? [list.received]) {
    const problem = await signatureProblem(response, source, isFile, sources.archiverKey, context);
    if (problem !== undefined) throw unsigned(ifUnsigned, problem);
  }
  return { ...list, bytes };
}

function requireArchiver({ archiver }: ListSources): string {
  if (archiver !== undefined) return archiver;
  throw new SnapshotError("usage", "neither an archiver nor files are given", {
    hint: "Give --archiver <url>, or both --nodes <file> and --cycles <file>.",
  });
}

/** Returns the URL of a list. It keeps the query of the archiver's own URL, which may contain a token. */
export function archiverUrl(sources: ListSources, path: string): string {
  const archiver = requireArchiver(sources);
  if (!URL.canParse(archiver)) {
    throw new SnapshotError("usage", "the archiver's address is not a URL", {
      hint: "Give one such as http://127.0.0.1:4000.",
    });
  }
  const url = new URL(archiver);
  const [pathname = "", query = ""] = path.split("?");
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${pathname}`;
  url.search = [query, url.search.slice(1)].filter((part) => part !== "").join("&");
  return url.href;
}

/** Returns the URL of a list for messages, without secrets. */
function shownList(sources: ListSources, path: string): string {
  return `${shownUrl(requireArchiver(sources)).replace(/\/*(\?\*{3})?\/*$/, "")}/${path}`;
}

async function readListFile(file: string, signal: AbortSignal | undefined): Promise<Buffer> {
  try {
    return await readFileBounded(file, listBytesMax, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new SnapshotError("configuration", `cannot read ${file}: ${messageOf(error)}`, {
      cause: error,
      hint: "Give the path of a readable file.",
    });
  }
}

/** Archivers also refuse requests with status 200: `{"success": false, "error": "Invalid count"}`. */
function requireNoRefusal(received: unknown, source: string): void {
  const { success, error } = (received ?? {}) as { success?: unknown; error?: unknown };
  if (success !== false) return;
  const why = typeof error === "string" ? quoted(error) : "it states no reason";
  throw new SnapshotError("temporary", `the archiver refuses ${source}: ${why}`, {
    hint: "Try again later, or use another archiver with --archiver.",
  });
}

async function fetchList(
  { url, source, body }: { url: string; source: string; body: object | undefined },
  context: ListContext,
): Promise<Buffer> {
  try {
    return await fetchWhole(url, listBytesMax, context, listTimeMaxMs, body);
  } catch (error) {
    if (!(error instanceof FetchError) || error.kind === "aborted") throw error;
    throw archiverError(source, error);
  }
}

/**
 * Fetches a URL that the user names. Temporary failures are retried within one bound on the total time.
 *
 * @throws FetchError
 */
export async function fetchWhole(
  url: string,
  bytesMax: number,
  { client, signal }: Pick<ListContext, "client" | "signal">,
  timeMaxMs: number = listTimeMaxMs,
  body?: object,
): Promise<Buffer> {
  const endMs = performance.now() + timeMaxMs;
  for (let failures = 1; ; failures++) {
    const deadlineMs = Math.max(1, endMs - performance.now());
    try {
      return await client.whole({ url, body, signal, deadlineMs }, bytesMax);
    } catch (error) {
      if (!(error instanceof FetchError) || error.kind === "aborted") throw error;
      const decision = decideRetry(error, failures, Math.random());
      if (!decision.retry || performance.now() + decision.delayMs >= endMs) throw error;
      await sleep(decision.delayMs, signal);
    }
  }
}

function archiverError(source: string, error: FetchError): SnapshotError {
  const isSpeakingHttp = error.kind === "status" && error.status !== undefined && error.status < 500;
  const isWrongServer =
    isSpeakingHttp || error.kind === "redirect" || error.kind === "too-large" || error.kind === "not-asked";
  const options = { cause: error };
  if (isWrongServer && error.status !== 429 && error.status !== 425) {
    const hint = "Check that --archiver is the address of an archiver.";
    return new SnapshotError("configuration", `the archiver's response to ${source}: ${error.message}`, {
      ...options,
      hint,
    });
  }
  if (error.kind === "tls") {
    return new SnapshotError("usage", `no TLS connection to the archiver at ${source}: ${error.message}`, {
      ...options,
      hint: "Check the scheme and the port of --archiver: most archivers speak http://, not https://.",
    });
  }
  const doubt = error.kind === "unreachable" ? "; the address may be wrong" : "";
  const hint =
    error.kind === "unreachable"
      ? "Check the host and the port of --archiver; if they are right, try again later, or use another archiver."
      : "Try again later, or use another archiver with --archiver.";
  return new SnapshotError(
    "temporary",
    `the archiver cannot be reached at ${source}: ${error.message}${doubt}`,
    {
      ...options,
      hint,
    },
  );
}

/** Describes why a list lacks the required signature; `undefined` if it does not. */
async function signatureProblem(
  received: unknown,
  source: string,
  isFile: boolean,
  archiverKey: string | undefined,
  { hashKey, warn }: ListContext,
): Promise<string | undefined> {
  const { sign } = received as { sign?: unknown };
  if (sign === undefined || sign === null) {
    if (archiverKey !== undefined) return `${source} is not signed, but --archiver-key is given`;
    if (!isFile) warn(`${source} is not signed by the archiver`);
    return undefined;
  }
  // Loaded on demand, because lists from files are seldom signed.
  const { signerOf } = await import("../protocol/crypto/signature.ts");
  const signer = signerOf(received, hashKey);
  if (signer === undefined) return `${source}: the signature is invalid`;
  if (archiverKey === undefined || signer === archiverKey) return undefined;
  return `${source} is signed by ${quoted(signer)}, not by the archiver's key ${archiverKey}`;
}

function unsigned(code: ListRequest["ifUnsigned"], problem: string): SnapshotError {
  return new SnapshotError(code, problem, {
    hint: "Check --archiver-key and --hash-key, or use another archiver.",
  });
}
