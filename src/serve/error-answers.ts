/** Answers with a status other than 2xx: `{"error": "<text>"}` (PROTOCOL.md, Partial snapshots). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { messageOf, systemCodeOf } from "../errors/snapshot-error.ts";
import { BodyError, type BodyProblem } from "../http-server/body-error.ts";
import { HttpError } from "../http-server/http-error.ts";
import { serveRetryAfterSeconds } from "../limits/serve.ts";

const retryAfterSeconds = serveRetryAfterSeconds;

const statusOfBody: Readonly<Record<BodyProblem, number>> = {
  "too-large": 413,
  fragmented: 400,
  gone: 400,
  busy: 503,
};

/** The methods and the path of each route. A `:name` is a part of the path, and `*` is its rest. */
class RouteTable {
  readonly #methods = new Map<string, Set<string>>();

  add(method: string | string[], url: string): void {
    const methods = this.#methods.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    this.#methods.set(url, methods);
  }

  /** Returns the methods of the routes that a path fits. */
  methodsOf(path: string): string[] {
    const fitting = [...this.#methods].filter(([url]) => patternOf(url).test(path));
    return [...new Set(fitting.flatMap(([, methods]) => [...methods]))].sort();
  }
}

function patternOf(url: string): RegExp {
  const escaped = url.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll(/:\w+/g, "[^/]+").replaceAll("*", ".*")}$`);
}

/**
 * Answers every error of a route in the same form. Call it before routes are added.
 *
 * @param warn called with an error that is a bug of this program; the client does not see it
 */
export function answerErrors(app: FastifyInstance, warn: (message: string) => void): void {
  const routes = new RouteTable();
  app.addHook("onRoute", ({ method, url }) => routes.add(method, url));
  app.setNotFoundHandler(async (request, reply) => {
    const methods = routes.methodsOf(request.url.split("?", 1)[0] ?? "");
    if (methods.length === 0)
      return await refuse(reply, new HttpError(404, `not found: ${request.method} ${request.url}`));
    reply.header("Allow", methods.join(", "));
    return await refuse(reply, new HttpError(405, `${request.method} is not a method of ${request.url}`));
  });
  app.setErrorHandler(
    async (error, request, reply) => await refuse(reply, httpErrorOf(error, request, warn)),
  );
}

function httpErrorOf(error: unknown, request: FastifyRequest, warn: (message: string) => void): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof BodyError) {
    const status = statusOfBody[error.problem];
    return new HttpError(status, error.message, status === 503 ? { retryAfterSeconds } : {});
  }
  const code = systemCodeOf(error);
  if (code === "EMFILE" || code === "ENFILE" || code === "ENOMEM")
    return new HttpError(503, "too many files are open", { retryAfterSeconds });
  const status = error instanceof Error ? Number(Reflect.get(error, "statusCode")) : Number.NaN;
  if (status >= 400 && status < 500) return new HttpError(status, messageOf(error));
  warn(`${request.method} ${request.url}: ${messageOf(error)}`);
  return new HttpError(500, "internal error");
}

async function refuse(reply: FastifyReply, { status, message, retryAfterSeconds: seconds }: HttpError) {
  if (seconds !== undefined) reply.header("Retry-After", String(seconds));
  // The rest of a refused body is not read: the connection ends with the response.
  const { raw } = reply.request;
  if (raw.method !== "GET" && raw.method !== "HEAD" && !raw.complete) reply.header("Connection", "close");
  // Other refusals say nothing about the file: it may be another one than its ETag names.
  if (status !== 412 && status !== 416) {
    for (const name of ["ETag", "Accept-Ranges"]) {
      reply.removeHeader(name);
      reply.raw.removeHeader(name);
    }
  }
  return await reply
    .code(status)
    .type("application/json")
    .send(JSON.stringify({ error: message }));
}
