/** Disconnects clients that do not read their responses: each holds memory, an open file and perhaps a slot. */

import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { bytesPerSecondMin } from "../limits/http.ts";
import { serveSlowMs } from "../limits/serve.ts";

/**
 * Watches the responses of a server. Call it before routes are added.
 *
 * @param periodMs how often the progress of each response is measured
 */
export function endSlowResponses(app: FastifyInstance, periodMs = serveSlowMs): void {
  /** Response → the bytes that its connection had sent when it was last looked at. */
  const responses = new Map<ServerResponse, number>();
  app.addHook("onRequest", (_, { raw }, done) => {
    responses.set(raw, raw.socket?.bytesWritten ?? 0);
    raw.once("close", () => responses.delete(raw));
    done();
  });
  const timer = setInterval(() => {
    for (const [response, before] of responses) {
      const now = response.socket?.bytesWritten ?? 0;
      responses.set(response, now);
      const isSlow = now - before < (bytesPerSecondMin * periodMs) / 1000;
      if (response.writableNeedDrain && isSlow) response.destroy();
    }
  }, periodMs).unref();
  app.addHook("onClose", (_, done) => {
    clearInterval(timer);
    done();
  });
}
