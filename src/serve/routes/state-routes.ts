/** `POST /snapshot` and `GET /snapshot-data`: accounts, as validators send them (PROTOCOL.md, Partial snapshots). */

import { pipeline, Readable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { messageOf } from "../../errors/snapshot-error.ts";
import { HttpError } from "../../http-server/http-error.ts";
import { ResponseSlots } from "../../http-server/response-slots.ts";
import {
  serveReadBytes,
  serveSnapshotRequestBytesMax,
  serveStateResponsesMax,
  serveStateResponsesPerPrefixMax,
} from "../../limits/serve.ts";
import {
  parseSnapshotRequest,
  type SnapshotRequest,
  SnapshotRequestError,
  snapshotRequestOf,
} from "../../wire/snapshot-request.ts";
import { acceptsGzip } from "../accepts-gzip.ts";
import { snapshotText } from "../accounts/snapshot-text.ts";
import type { SnapshotSet } from "../snapshot-set.ts";

export interface StateRoutesOptions {
  readonly snapshots: SnapshotSet;
  /** Called with the error that ended a response, unless its snapshot has changed. */
  readonly warn: (message: string) => void;
}

export function stateRoutes(app: FastifyInstance, { snapshots, warn }: StateRoutesOptions): void {
  const slots = new ResponseSlots({
    responsesMax: serveStateResponsesMax,
    responsesPerPrefixMax: serveStateResponsesPerPrefixMax,
  });
  const send = async (request: FastifyRequest, reply: FastifyReply, wanted: SnapshotRequest) => {
    const snapshot = snapshots.at(wanted.timestamp);
    snapshot.requireIntact();
    const release = slots.take(request.ip);
    reply.raw.once("close", release);
    const text = snapshotText(snapshot, wanted.selection);
    // Once the first piece has been sent, an error can only end the connection.
    const first = await text.next();
    const pieces = reporting(joined(first, text), (error) => warn(`${request.url}: ${messageOf(error)}`));
    return await sendText(request, reply, pieces);
  };
  app.post("/snapshot", { bodyLimit: serveSnapshotRequestBytesMax }, async (request, reply) =>
    send(
      request,
      reply,
      understood(() => parseSnapshotRequest(String(request.body ?? ""))),
    ),
  );
  app.get("/snapshot-data", { exposeHeadRoute: false }, async (request, reply) =>
    send(
      request,
      reply,
      understood(() => requestOfQuery(new URLSearchParams(queryOf(request)))),
    ),
  );
}

/** @throws HttpError 400 for a malformed request */
function understood(parse: () => SnapshotRequest): SnapshotRequest {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SnapshotRequestError) throw new HttpError(400, error.message);
    throw error;
  }
}

function queryOf({ url }: FastifyRequest): string {
  return url.split("?", 2)[1] ?? "";
}

/** Names of the query, and of the request's fields. */
const fields = { startAddr: "accountStart", endAddr: "accountEnd" } as const;

/** Global accounts are in no range of addresses: without `isGlobal`, a range has none. */
function requestOfQuery(query: URLSearchParams): SnapshotRequest {
  const repeated = [...new Set(query.keys())].find((name) => query.getAll(name).length > 1);
  if (repeated !== undefined) throw new SnapshotRequestError(`${repeated}: given twice`);
  const timestamp = query.get("timestamp") ?? "";
  if (!/^\d{1,16}$/.test(timestamp))
    throw new SnapshotRequestError("timestamp: not a whole number of milliseconds");
  const range: Record<string, string> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = query.get(name);
    if (value === null) continue;
    if (!/^[0-9a-f]{64}$/.test(value))
      throw new SnapshotRequestError(`${name}: not 64 lower-case hex digits`);
    range[field] = value;
  }
  const hasRange = Object.keys(range).length > 0;
  const isGlobal = booleanOf(query.get("isGlobal")) ?? (hasRange ? false : undefined);
  return snapshotRequestOf({
    timestamp: Number(timestamp),
    ...range,
    ...(isGlobal === undefined ? {} : { isGlobal }),
  });
}

function booleanOf(text: string | null): boolean | undefined {
  if (text === null) return undefined;
  if (text === "true" || text === "false") return text === "true";
  throw new SnapshotRequestError("isGlobal: neither true nor false");
}

async function* joined(
  first: IteratorResult<Buffer, void>,
  rest: AsyncGenerator<Buffer, void, void>,
): AsyncGenerator<Buffer, void, void> {
  try {
    if (first.done === true) return;
    yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}

/** Reports an error that the client sees only as the end of its connection. */
async function* reporting(
  pieces: AsyncIterable<Buffer>,
  failed: (error: unknown) => void,
): AsyncGenerator<Buffer, void, void> {
  try {
    yield* pieces;
  } catch (error) {
    if (!(error instanceof HttpError)) failed(error);
    throw error;
  }
}

/** Sends pieces as fast as the client reads them. The pieces end with the connection. */
function sendText(request: FastifyRequest, reply: FastifyReply, pieces: AsyncIterable<Buffer>): FastifyReply {
  const text = Readable.from(pieces, { objectMode: false, highWaterMark: serveReadBytes });
  reply.raw.once("close", () => text.destroy());
  reply.type("application/json").header("Vary", "Accept-Encoding");
  if (!acceptsGzip(request.headers["accept-encoding"])) return reply.send(text);
  const compressed = createGzip({ level: constants.Z_BEST_SPEED });
  // An error of either stream destroys both; the one that is sent reports it.
  pipeline(text, compressed, () => undefined);
  return reply.header("Content-Encoding", "gzip").send(compressed);
}
