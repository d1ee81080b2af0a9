/** Responses of the collector's server other than streams. */

import type { ServerResponse } from "node:http";

export interface JsonResponse {
  readonly status: number;
  readonly body: object;
}

export function refusal(status: number, problem: string): JsonResponse {
  return { status, body: { error: problem } };
}

export function send(response: ServerResponse, { status, body }: JsonResponse): void {
  if (response.destroyed || response.req.socket.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    ...(status === 503 || status === 429 ? { "Retry-After": "5" } : {}),
    // The rest of a refused body is not read: the connection ends with the response.
    ...(response.req.complete || response.req.method === "GET" ? {} : { Connection: "close" }),
  });
  response.end(text);
}
