/** A static file server on loopback, as an archiver, a web server or a bucket publishes snapshots; it can do wrong. */

import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join, normalize } from "node:path";
import { httpServer } from "./servers.ts";

export interface MirrorRequest {
  readonly path: string;
  readonly query: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface ServedFile {
  readonly path: string;
  readonly bytes: Buffer;
  /** The offset that the request is for, 0 without a range. */
  readonly start: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface MirrorBehaviour {
  /** By default, ranges are served. */
  readonly hasRanges?: boolean;
  /** Handles a request itself and returns true; otherwise, the server sends the file. */
  readonly fault?: (file: ServedFile) => boolean;
  /** Changes the content of a file. */
  readonly change?: (path: string, bytes: Buffer) => Buffer;
}

export interface MirrorServer {
  readonly url: string;
  readonly requests: readonly MirrorRequest[];
}

export async function mirrorServer(
  root: string,
  { hasRanges = true, fault = () => false, change = (_, bytes) => bytes }: MirrorBehaviour = {},
): Promise<MirrorServer> {
  const requests: MirrorRequest[] = [];
  const url = await httpServer((request, response) => {
    const { pathname: path, search: query } = new URL(request.url ?? "", "http://mirror");
    const { range, authorization } = request.headers;
    requests.push({ path, query, range, authorization });
    const read = contentOf(join(root, normalize(path)));
    if (read === undefined) {
      response.writeHead(404).end("not found");
      return;
    }
    const bytes = change(path, read);
    const start = hasRanges ? Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0) : 0;
    if (!fault({ path, bytes, start, request, response })) serve(bytes, start, response);
  });
  return { url, requests };
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function serve(bytes: Buffer, start: number, response: ServerResponse): void {
  const headers = { "content-length": bytes.length - start };
  if (start === 0) response.writeHead(200, headers).end(bytes);
  else if (start >= bytes.length)
    response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
  else {
    const range = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(206, { ...headers, ...range }).end(bytes.subarray(start));
  }
}

/** Sends the bytes up to an offset, and breaks the connection off. */
export function breakOffAt(end: number, { bytes, start, response }: ServedFile): void {
  const range = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(start === 0 ? 200 : 206, {
    "content-length": bytes.length - start,
    ...(start === 0 ? {} : range),
  });
  response.write(bytes.subarray(start, end), () => response.destroy());
}
