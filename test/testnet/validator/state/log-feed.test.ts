/** A validator follows the transaction log. */

import { describe, expect, it } from "vitest";
import { asCycle } from "../../../../src/protocol/brands.ts";
import type { LogEntry } from "../../../../src/testnet/validator/state/log-entry.ts";
import { followLog } from "../../../../src/testnet/validator/state/log-feed.ts";
import { httpServer } from "../../../helpers/servers.ts";

const entries: LogEntry[] = Array.from({ length: 50 }, (_, cycle) => ({
  type: "cycle-end",
  cycle: asCycle(cycle),
  timestamp: cycle * 1000,
  snapshot: cycle % 5 === 0,
}));
const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

/** Serves the log from the requested position, in responses of a fixed size. */
function serve(bytesAtOnce: number): Promise<string> {
  return httpServer((request, response) => {
    const from = Number(new URL(request.url ?? "", "http://archiver").searchParams.get("from"));
    response.end(text.slice(from, from + bytesAtOnce));
  });
}

async function follow(url: string, from: number, count: number) {
  const ending = new AbortController();
  const followed: { entry: LogEntry; position: number }[] = [];
  for await (const batch of followLog(url, from, ending.signal)) {
    followed.push(...batch);
    if (followed.length >= count) break;
  }
  ending.abort();
  return followed;
}

describe("the transaction log", () => {
  it("is received completely, each entry once, wherever the connections end", async () => {
    const followed = await follow(await serve(600), 0, entries.length);
    expect(followed.map(({ entry }) => entry)).toEqual(entries);
    expect(followed.at(-1)?.position).toBe(text.length);
  });

  it("continues from the position of any entry", async () => {
    const url = await serve(text.length);
    const [, , third] = await follow(url, 0, 3);
    const followed = await follow(url, third?.position ?? 0, 1);
    expect(followed[0]?.entry).toEqual(entries[3]);
  });

  it("is rejected where a line is not an entry", async () => {
    const url = await httpServer((_, response) => void response.end('{"type":"mint","to":"me"}\n'));
    await expect(follow(url, 0, 1)).rejects.toThrow(/type/);
  });

  it("is no longer followed when the signal is aborted", async () => {
    const url = await httpServer((_, response) => void response.writeHead(200).flushHeaders());
    const followed: unknown[] = [];
    for await (const batch of followLog(url, 0, AbortSignal.timeout(100))) followed.push(batch);
    expect(followed).toEqual([]);
  });
});
