/** Responses that arrive slowly, with a clock of the test. */

import { expect, it } from "vitest";
import { receive } from "../../../../src/testnet/validator/state-sync/slow-body.ts";

/** @param pauseMs before each piece of 10 bytes, and while each is used */
async function received(pieces: number, pauseMs: { server: number; client: number }): Promise<number> {
  let nowMs = 0;
  async function* body() {
    for (let piece = 0; piece < pieces; piece++) {
      nowMs += pauseMs.server;
      yield await Promise.resolve(Buffer.alloc(10));
    }
  }
  let bytes = 0;
  const limits = { silenceMs: 1_000, bytesPerSecondMin: 100 };
  for await (const piece of receive(body(), limits, () => nowMs)) {
    bytes += piece.length;
    nowMs += pauseMs.client;
  }
  return bytes;
}

it("a response that stays below the rate is given up once it has taken some time", async () => {
  await expect(received(11, { server: 101, client: 0 })).rejects.toMatchObject({
    kind: "failed",
    message: "it sent 100 bytes in 1010 ms: too slow",
  });
  expect(await received(9, { server: 101, client: 0 })).toBe(90);
});

it("a response that reaches the rate is received, however long its use takes", async () => {
  expect(await received(50, { server: 99, client: 60_000 })).toBe(500);
});
