/** The transaction log, as a validator follows it. */

import { describe, expect, it } from "vitest";
import type { LogEntry } from "../../../../src/testnet/validator/state/log-entry.ts";
import { followLog } from "../../../../src/testnet/validator/state/log-feed.ts";
import { httpServer } from "../../../helpers/servers.ts";

const entries: LogEntry[] = Array.from({ length: 50 }, (_, cycle) => ({
  type: "cycle-end",
  cycle,
  timestamp: cycle * 1000,
  snapshot: cycle % 5 === 0,
}));
const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

/** Serves the log from where it is asked for, so many bytes at once. */
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

describe("the log", () => {
  it("is had whole, each entry once, wherever the connections end", async () => {
    const followed = await follow(await serve(600), 0, entries.length);
    expect(followed.map(({ entry }) => entry)).toEqual(entries);
    expect(followed.at(-1)?.position).toBe(text.length);
  });

  it("is gone on with from any position that was told", async () => {
    const url = await serve(text.length);
    const [, , third] = await follow(url, 0, 3);
    const followed = await follow(url, third?.position ?? 0, 1);
    expect(followed[0]?.entry).toEqual(entries[3]);
  });

  it("is refused where there is something else in it", async () => {
    const url = await httpServer((_, response) => void response.end('{"type":"mint","to":"me"}\n'));
    await expect(follow(url, 0, 1)).rejects.toThrow(/type/);
  });

  it("is no longer followed when nobody wants it any more", async () => {
    const url = await httpServer((_, response) => void response.writeHead(200).flushHeaders());
    const followed: unknown[] = [];
    for await (const batch of followLog(url, 0, AbortSignal.timeout(100))) followed.push(batch);
    expect(followed).toEqual([]);
  });
});
