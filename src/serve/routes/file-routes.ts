/**
 * `GET /snapshots`, and the files of each snapshot: the quick way from archiver to archiver (FORMAT.md, Mirrors). Only the
 * files that were verified can be read.
 */

import { ReadStream } from "node:fs";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { MANIFEST_FILE } from "../../format/manifest.ts";
import { HttpError } from "../../http-server/http-error.ts";
import { serveFileReadBytes } from "../../limits/serve.ts";
import { answerTo } from "../files/conditional-request.ts";
import type { ServedSnapshot } from "../served-snapshot.ts";
import type { SnapshotSet } from "../snapshot-set.ts";
import type { VerifiedFile } from "../verified-file.ts";

export interface FileRoutesOptions {
  readonly snapshots: SnapshotSet;
}

export function fileRoutes(app: FastifyInstance, { snapshots }: FileRoutesOptions): void {
  /** The file that a request reads. */
  const filesOf = new WeakMap<FastifyRequest, VerifiedFile>();
  void app.register(fastifyStatic, {
    serve: false,
    // The hash is the only validator, and `answerTo` compares it.
    ...{ etag: false, lastModified: false, cacheControl: false, contentType: false },
  });
  app.addHook("onSend", async (request, _, payload) => {
    const file = filesOf.get(request);
    if (file !== undefined && payload instanceof ReadStream) requireVerified(payload, file);
    return await Promise.resolve(payload);
  });
  const send = async (
    request: FastifyRequest,
    reply: FastifyReply,
    snapshot: ServedSnapshot,
    name: string,
  ) => {
    const file = snapshot.files.get(name);
    if (file === undefined) throw new HttpError(404, `${snapshot.name} has no file of this name`);
    snapshot.requireIntact();
    await file.requireSame();
    filesOf.set(request, file);
    return sendFile(request, reply, snapshot, file);
  };
  app.get("/snapshots", async (_, reply) => reply.send({ snapshots: snapshots.all.map(describe) }));
  app.get<{ Params: { name: string } }>("/snapshots/:name", async (request, reply) =>
    send(request, reply, snapshots.named(request.params.name), MANIFEST_FILE),
  );
  app.get<{ Params: { name: string; "*": string } }>("/snapshots/:name/*", async (request, reply) =>
    send(request, reply, snapshots.named(request.params.name), request.params["*"]),
  );
}

function describe({ facts, problem }: ServedSnapshot): object {
  const { name, timestamp, cycle, numPartitions, digest, agreed, size } = facts;
  return {
    ...{ name, timestamp, cycle, networkHash: agreed.networkHash, numPartitions, ...size, digest },
    manifest: `/snapshots/${name}/${MANIFEST_FILE}`,
    isServed: problem === undefined,
  };
}

function sendFile(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  { facts }: ServedSnapshot,
  file: VerifiedFile,
): FastifyReply {
  const { size } = file;
  const etag = `"${file.hash}"`;
  reply.header("ETag", etag).header("Accept-Ranges", "bytes");
  const answer = answerTo(raw.headers, { etag, size });
  switch (answer.kind) {
    case "not-modified":
      return reply.code(304).send();
    case "precondition-failed":
      throw new HttpError(412, `${file.name} has another hash`);
    case "unsatisfiable":
      reply.header("Content-Range", `bytes */${size}`);
      throw new HttpError(416, `${file.name} has ${size} bytes`);
    case "whole":
    case "part":
      // What sends the file sees only what was decided.
      for (const name of [
        "if-match",
        "if-none-match",
        "if-range",
        "if-modified-since",
        "if-unmodified-since",
      ]) {
        delete raw.headers[name];
      }
      delete raw.headers.range;
      if (answer.kind === "part") raw.headers.range = `bytes=${answer.start}-${answer.end}`;
      reply.type(typeOf(file.name));
      return reply.sendFile(file.name, facts.directory, fileOptions);
  }
}

/** Options of the stream of a file. The types of the plugin lack the size of its reads, which it hands on. */
const fileOptions = { acceptRanges: true, highWaterMark: serveFileReadBytes };

/** Ends a stream that has opened another file than the one that was verified, before it reads anything. */
function requireVerified(stream: ReadStream, file: VerifiedFile): void {
  stream.once("open", (descriptor: number) => {
    try {
      file.requireDescriptor(descriptor);
    } catch (error) {
      stream.destroy(error instanceof Error ? error : undefined);
    }
  });
}

function typeOf(file: string): string {
  if (file.endsWith(".gz")) return "application/gzip";
  return file.endsWith(".jsonl") ? "application/jsonl" : "application/json";
}
