/**
 * Passes every request that no other route takes to the archiver behind the server, and its response back, unchanged:
 * method, path, query, headers and body.
 */

import { pipeline } from "node:stream";
import httpProxy from "@fastify/http-proxy";
import type { FastifyInstance, FastifyReply } from "fastify";
import { messageOf, systemCodeOf } from "../../errors/snapshot-error.ts";
import {
  passedAnswerBytesMax,
  passedBodyBytesMax,
  passedSilenceMs,
  upstreamAnswerTimeMs,
} from "../../limits/serve-archiver.ts";
import { BodyTooLargeError, ByteLimit } from "./byte-limit.ts";

/** @param upstream the URL of the archiver */
export async function passThrough(app: FastifyInstance, { upstream }: { upstream: string }): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (request, payload, done) => {
    const declared = Number(request.headers["content-length"] ?? 0);
    if (declared > passedBodyBytesMax) return done(new BodyTooLargeError("the body is too large"));
    const limited = new ByteLimit(passedBodyBytesMax);
    // An error of either reaches the request to the archiver as one of its body.
    pipeline(payload, limited, () => undefined);
    done(null, limited);
  });
  app.setErrorHandler(async (error, _request, reply) => await answerFailure(reply, error));
  await app.register(httpProxy, {
    upstream,
    proxyPayloads: false,
    internalRewriteLocationHeader: false,
    // Redirects are the client's to follow.
    undici: {
      connect: { timeout: upstreamAnswerTimeMs },
      headersTimeout: passedSilenceMs,
      bodyTimeout: passedSilenceMs,
    },
    disableRequestLogging: true,
    replyOptions: {
      onError: (reply, { error }) => {
        void answerFailure(reply as FastifyReply, error);
      },
      onResponse: (_request, reply, response) => {
        const { stream } = response as unknown as { stream: NodeJS.ReadableStream };
        const limited = new ByteLimit(passedAnswerBytesMax);
        pipeline(stream, limited, () => undefined);
        (reply as unknown as FastifyReply).send(limited);
      },
    },
  });
}

async function answerFailure(reply: FastifyReply, error: unknown): Promise<void> {
  const status = statusOf(error);
  const name = { 400: "Bad Request", 413: "Payload Too Large", 502: "Bad Gateway", 504: "Gateway Timeout" }[
    status
  ];
  const message =
    status < 500
      ? messageOf(error)
      : `the archiver behind this server ${status === 504 ? "does not answer in time" : "cannot be reached"}`;
  // The rest of a refused body is not read: the connection ends with the response.
  if (!reply.request.raw.complete) reply.header("Connection", "close");
  await reply
    .code(status)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify({ statusCode: status, error: name, message }));
}

function statusOf(error: unknown): 400 | 413 | 502 | 504 {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BodyTooLargeError) return 413;
    const status: unknown = Reflect.get(cause, "statusCode");
    if (status === 400 || status === 413 || status === 504) return status;
  }
  return /TIMEOUT|ETIMEDOUT/.test(systemCodeOf(error) ?? "") ? 504 : 502;
}
