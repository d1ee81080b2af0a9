/** Bodies that cannot be read, answered as the framework of the published archiver answers them (fastify 4). */

import type { FastifyInstance, FastifyRequest } from "fastify";
import { messageOf } from "../../errors/snapshot-error.ts";
import { BodyError, type BodyProblem } from "../../http-server/body-error.ts";
import { HttpError } from "../../http-server/http-error.ts";
import { CanonicalTextError } from "../../protocol/crypto/canonical-text.ts";

const contentType = "application/json; charset=utf-8";

interface FrameworkAnswer {
  readonly statusCode: number;
  readonly code?: string;
  readonly error: string;
  readonly message: string;
}

const tooLarge: FrameworkAnswer = {
  statusCode: 413,
  code: "FST_ERR_CTP_BODY_TOO_LARGE",
  error: "Payload Too Large",
  message: "Request body is too large",
};

const names: Readonly<Record<number, string>> = {
  400: "Bad Request",
  415: "Unsupported Media Type",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The body of a request is of a type that the archiver does not read. */
class MediaTypeError extends Error {
  override readonly name = "MediaTypeError";
  readonly code = "media-type";
}

/**
 * Returns the value of a request's body, which was read as text; `undefined` if there is none.
 *
 * @throws SyntaxError, {@link MediaTypeError}
 */
export function parsedBody({ body, headers }: FastifyRequest): unknown {
  if (typeof body !== "string") return undefined;
  const declared = headers["content-type"] ?? "";
  const type = declared.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/json") return JSON.parse(body);
  if (type === "text/plain") return body;
  throw new MediaTypeError(`Unsupported Media Type: ${declared}`);
}

/** @param warn called with a failure of this server: the client only sees that there was one */
export function answerAsFramework(app: FastifyInstance, warn: (message: string) => void): void {
  app.setErrorHandler(async (error, request, reply) => {
    const answer = answerOf(error);
    if (answer.statusCode >= 500) warn(`${request.method} ${request.url}: ${messageOf(error)}`);
    // The rest of a refused body is not read: the connection ends with the response.
    if (!request.raw.complete) reply.header("Connection", "close");
    return await reply.code(answer.statusCode).type(contentType).send(JSON.stringify(answer));
  });
}

function answerOf(error: unknown): FrameworkAnswer {
  if (error instanceof BodyError) return answerOfBody(error.problem);
  if (error instanceof MediaTypeError) {
    const code = "FST_ERR_CTP_INVALID_MEDIA_TYPE";
    return { statusCode: 415, code, error: "Unsupported Media Type", message: error.message };
  }
  if (error instanceof SyntaxError || error instanceof CanonicalTextError)
    return answer(400, messageOf(error));
  if (error instanceof HttpError) return answer(error.status, error.message);
  return answer(500, "the accounts cannot be read");
}

function answerOfBody(problem: BodyProblem): FrameworkAnswer {
  if (problem === "too-large") return tooLarge;
  return problem === "busy" ? answer(503, "too many bodies at once") : answer(400, "the body cannot be read");
}

function answer(statusCode: number, message: string): FrameworkAnswer {
  return { statusCode, error: names[statusCode] ?? "Error", message };
}
