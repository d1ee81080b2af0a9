/** Faults of a validator that sends no accounts in response to `POST /snapshot`. */

import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { HttpError } from "../../http-server/http-error.ts";
import type { ValidatorSetup } from "../cluster/validator-setup.ts";
import { sendHttpError } from "../validator/json-server.ts";
import { type FaultKind, requiredValue } from "./fault-kind.ts";

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
    description: "accepts every connection, and never responds",
    apply: ({ hooks }) => void hooks.requests.intercept.push(() => new Promise(() => undefined)),
  },
  {
    name: "slow",
    description: "delays every response",
    parameter: { kind: "duration", default: 500 },
    apply: ({ hooks }, ms) => {
      hooks.requests.intercept.push(async () => {
        await sleep(requiredValue(ms), undefined, { ref: false });
        return false;
      });
    },
  },
  {
    name: "busy",
    description: "rejects <count> snapshot requests: 503, Retry-After 1",
    parameter: { kind: "count", default: 2 },
    apply: (node, count) => refuse(node, requiredValue(count), () => busy(503)),
  },
  {
    name: "rate-limit",
    description: "rejects <count> snapshot requests: 429, Retry-After 1",
    parameter: { kind: "count", default: 2 },
    apply: (node, count) => refuse(node, requiredValue(count), () => busy(429)),
  },
  {
    name: "not-finalized",
    description: "rejects <count> snapshot requests: 425, Retry-After 1",
    parameter: { kind: "count", default: 2 },
    apply: (node, count) => refuse(node, requiredValue(count), () => busy(425)),
  },
  {
    name: "no-snapshot",
    description: "rejects snapshot requests with 404",
    apply: (node) => refuse(node, Infinity, () => new HttpError(404, "this snapshot was dropped")),
  },
  {
    name: "gone",
    description: "drops its snapshot after <count> requests for it: 404",
    parameter: { kind: "count", default: 0 },
    apply: ({ hooks }, count) => {
      // A live validator keeps its later snapshots.
      let dropped: number | undefined;
      let left = requiredValue(count);
      hooks.responses.select.push((selection, timestampMs) => {
        dropped ??= timestampMs;
        if (timestampMs === dropped && left-- <= 0) throw new HttpError(404, "this snapshot was dropped");
        return selection;
      });
    },
  },
  {
    name: "server-error",
    description: "rejects snapshot requests with 500",
    apply: (node) => refuse(node, Infinity, () => new HttpError(500, "out of order")),
  },
  {
    name: "redirect",
    description: "redirects snapshot requests to a path that serves them",
    apply: ({ hooks }) => {
      hooks.requests.intercept.push((request, response) => {
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

function refuse({ hooks }: ValidatorSetup, count: number, refusal: () => HttpError): void {
  let left = count;
  hooks.requests.intercept.push((request, response) => {
    if (!isSnapshotRequest(request) || left <= 0) return Promise.resolve(false);
    left--;
    sendHttpError(response, refusal());
    return Promise.resolve(true);
  });
}

function isSnapshotRequest(request: IncomingMessage): boolean {
  return request.method === "POST" && request.url?.startsWith("/snapshot") === true;
}
