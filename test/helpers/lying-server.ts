/** A server in front of a real server of snapshots that changes its answers, breaks them off, or dies. */

import type { ServerResponse } from "node:http";
import { httpServer } from "./servers.ts";

export interface Lies {
  /** Returns the text to send instead of an answer. */
  readonly change?: (path: string, text: string) => string;
  /** Sends the answer itself. Returns whether it did. */
  readonly send?: (path: string, text: string, response: ServerResponse) => boolean;
}

export interface LyingServer {
  readonly url: string;
  /** The paths with their queries, in order. */
  readonly requests: readonly string[];
}

/** @param upstream the URL of the real server */
export async function lyingServer(
  upstream: string,
  { change = (_, text) => text, send = () => false }: Lies = {},
): Promise<LyingServer> {
  const requests: string[] = [];
  const url = await httpServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    void answer(`${upstream}${path}`).then(({ status, text }) => {
      const changed = change(path, text);
      if (send(path, changed, response)) return;
      response.writeHead(status, { "Content-Type": "application/json" }).end(changed);
    });
  });
  return { url, requests };
}

async function answer(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

/** Sends the beginning of an answer, and disconnects; from then on, the server is dead. */
export function dying(path: string): NonNullable<Lies["send"]> {
  let isDead = false;
  return (requested, text, response) => {
    if (!isDead && !requested.startsWith(path)) return false;
    if (isDead) response.destroy();
    else response.write(text.slice(0, text.length / 2), () => response.destroy());
    isDead = true;
    return true;
  };
}
