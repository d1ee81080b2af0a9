/** Faults of a validator that does not get as far as an answer to `POST /snapshot`. */

import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeSetup } from "../cluster/node-setup.ts";
import { HttpError } from "../validator/http-error.ts";
import { sendHttpError } from "../validator/json-server.ts";
import { type FaultKind, given } from "./fault-kind.ts";

export const connectionFaults: readonly FaultKind[] = [
  {
    name: "down",
    description: "refuses every connection",
    apply: (node) => {
      node.isListening = false;
    },
  },
  {
    name: "hang",
    description: "accepts every connection, and never answers",
    apply: ({ conduct }) => void conduct.intercept.push(() => new Promise(() => undefined)),
  },
  {
    name: "slow",
    description: "waits before it answers anything",
    parameter: { kind: "duration", default: 500 },
    apply: ({ conduct }, ms) => {
      conduct.intercept.push(async () => {
        await sleep(given(ms), undefined, { ref: false });
        return false;
      });
    },
  },
  {
    name: "busy",
    description: "refuses so many snapshot requests: 503, Retry-After 1",
    parameter: { kind: "count", default: 2 },
    apply: (node, count) => refuse(node, given(count), () => busy(503)),
  },
  {
    name: "rate-limit",
    description: "refuses so many snapshot requests: 429, Retry-After 1",
    parameter: { kind: "count", default: 2 },
    apply: (node, count) => refuse(node, given(count), () => busy(429)),
  },
  {
    name: "not-finalized",
    description: "refuses so many snapshot requests: 425, Retry-After 1",
    parameter: { kind: "count", default: 2 },
    apply: (node, count) => refuse(node, given(count), () => busy(425)),
  },
  {
    name: "no-snapshot",
    description: "answers snapshot requests with 404",
    apply: (node) => refuse(node, Infinity, () => new HttpError(404, "this snapshot was dropped")),
  },
  {
    name: "server-error",
    description: "answers snapshot requests with 500",
    apply: (node) => refuse(node, Infinity, () => new HttpError(500, "out of order")),
  },
  {
    name: "redirect",
    description: "redirects snapshot requests, to where they would be answered",
    apply: ({ conduct }) => {
      conduct.intercept.push((request, response) => {
        if (!isSnapshotRequest(request) || request.url !== "/snapshot") return Promise.resolve(false);
        response.writeHead(307, { Location: "/snapshot?redirected" }).end();
        return Promise.resolve(true);
      });
    },
  },
];

function busy(status: number): HttpError {
  return new HttpError(status, "busy", { retryAfterSeconds: 1 });
}

function refuse({ conduct }: NodeSetup, count: number, refusal: () => HttpError): void {
  let left = count;
  conduct.intercept.push((request, response) => {
    if (!isSnapshotRequest(request) || left <= 0) return Promise.resolve(false);
    left--;
    sendHttpError(response, refusal());
    return Promise.resolve(true);
  });
}

function isSnapshotRequest(request: IncomingMessage): boolean {
  return request.method === "POST" && request.url?.startsWith("/snapshot") === true;
}
