import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { ResponseSlots } from "../../../src/http-server/response-slots.ts";
import type { WrappedData } from "../../../src/protocol/account-copy.ts";
import {
  gossipPushBytesMax,
  snapshotResponsesMax,
  snapshotResponsesPerAddressMax,
} from "../../../src/testnet/limits.ts";
import {
  type FaultHooks,
  honestHooks,
  ResponseCutError,
} from "../../../src/testnet/validator/fault-hooks.ts";
import { HeldSnapshots } from "../../../src/testnet/validator/held-snapshots.ts";
import type { JsonServer } from "../../../src/testnet/validator/json-server.ts";
import type { AccountSource } from "../../../src/testnet/validator/state/account-source.ts";
import { makeValidatorServer } from "../../../src/testnet/validator/validator-server.ts";
import { until } from "../../helpers/until.ts";

const timestamp = 60_000;
const accountBytes = 10_000;

/** Endless accounts, counted as they are read. */
class CountedAccounts implements AccountSource {
  made = 0;
  isClosed = false;

  *select(): Generator<WrappedData> {
    const data = "x".repeat(accountBytes);
    try {
      for (;;) {
        this.made++;
        yield { accountId: this.made.toString(16).padStart(64, "0"), stateId: "", data, timestamp: 1 };
      }
    } finally {
      this.isClosed = true;
    }
  }

  count(): number {
    return Infinity;
  }
}

let server: JsonServer | undefined;
afterEach(() => server?.close());

async function serve(source: AccountSource, hooks: FaultHooks = honestHooks()): Promise<URL> {
  const snapshots = new HeldSnapshots(() => ({ startMs: 0, durationMs: 60_000, finalizedMs: 60_000 }));
  snapshots.hold([[timestamp, source]]);
  server = makeValidatorServer({ netconfig: {}, snapshots, gossipOf: () => undefined, hooks });
  return new URL(await server.listen("127.0.0.1"));
}

/** Requests the snapshot, and does not read the response. */
async function askAndNotRead({ hostname, port }: URL) {
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const body = JSON.stringify({ timestamp });
  socket.pause();
  socket.write(`POST /snapshot HTTP/1.1\r\nHost: validator\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return socket;
}

/** Waits until no more accounts are read. */
async function settled(source: CountedAccounts): Promise<number> {
  for (let before = -1; before !== source.made; ) {
    before = source.made;
    await sleep(200);
  }
  return source.made;
}

async function statusOf(snapshots: HeldSnapshots, timestampMs: number) {
  server = makeValidatorServer({ netconfig: {}, snapshots, gossipOf: () => undefined });
  const url = `${await server.listen("127.0.0.1")}/snapshot`;
  const answer = await fetch(url, { method: "POST", body: JSON.stringify({ timestamp: timestampMs }) });
  const { error } = (await answer.json()) as { error: string };
  return { status: answer.status, retryAfter: answer.headers.get("Retry-After"), error };
}

describe("a snapshot that is not held", () => {
  const clock = { startMs: 0, durationMs: 60_000, finalizedMs: 180_000 };
  const snapshots = new HeldSnapshots(
    () => clock,
    (timestampMs) => timestampMs === 120_000,
  );

  it.each([
    {
      id: "not the end of a cycle",
      at: 90_000,
      status: 400,
      retryAfter: null,
      error: /90000 is not the end of a cycle/,
    },
    { id: "in the future", at: 240_000, status: 425, retryAfter: "60", error: /240000 is not finalized/ },
    { id: "being exported", at: 120_000, status: 425, retryAfter: "1", error: /120000 is being exported/ },
    {
      id: "dropped, or never held",
      at: 180_000,
      status: 404,
      retryAfter: null,
      error: /no snapshot is held/,
    },
  ])("is refused as what it is: $id", async ({ at, status, retryAfter, error }) => {
    const answer = await statusOf(snapshots, at);
    expect(answer).toMatchObject({ status, retryAfter });
    expect(answer.error).toMatch(error);
  });

  it("is not available while the validator is starting", async () => {
    const starting = new HeldSnapshots(() => ({ startMs: 0, durationMs: 0, finalizedMs: 0 }));
    expect(await statusOf(starting, 60_000)).toMatchObject({ status: 503, retryAfter: "1" });
  });
});

describe("a validator's server", () => {
  const snapshots = new HeldSnapshots(() => ({ startMs: 0, durationMs: 60_000, finalizedMs: 60_000 }));
  const receiveGossip = () => Promise.resolve({ taken: 0, known: 0, refused: 0 });
  const listen = async () => {
    server = makeValidatorServer({ netconfig: {}, snapshots, gossipOf: () => undefined, receiveGossip });
    return await server.listen("127.0.0.1");
  };

  it("responds to the next request at once after one with too large a body", async () => {
    const agent = new Agent({ connections: 1, pipelining: 1 });
    onTestFinished(() => agent.destroy());
    const origin = await listen();
    const push = async (body: string) => {
      const answer = await agent.request({ origin, path: "/partition-gossip", method: "POST", body });
      await answer.body.dump();
      return answer.statusCode;
    };
    const began = performance.now();
    expect(await push("x".repeat(gossipPushBytesMax + 1)).catch(() => 400)).toBe(400);
    expect(await push("{}")).toBe(200);
    expect(performance.now() - began).toBeLessThan(4000);
  });

  it("keeps connections for complete requests, and closes those of incomplete ones", async () => {
    const url = new URL(await listen());
    const sockets = await Promise.all(
      Array.from({ length: snapshotResponsesMax }, async () => {
        const socket = connect(Number(url.port), url.hostname);
        await once(socket, "connect");
        socket.write("POST /snapshot HTTP/1.1\r\nHost: validator\r\nContent-Length: 100\r\n\r\n{");
        return socket;
      }),
    );
    const answer = await fetch(`${url}snapshot`, {
      method: "POST",
      body: JSON.stringify({ timestamp: 60_000 }),
    });
    expect(answer.status).toBe(404);
    for (const socket of sockets) socket.destroy();
  });

  it.each(["//", "http:///x"])("rejects %s as a target", async (path) => {
    const url = new URL(await listen());
    const socket = connect(Number(url.port), url.hostname);
    socket.end(`GET ${path} HTTP/1.1\r\nHost: validator\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 40[04] /);
  });
});

describe("too many concurrent responses", () => {
  it("are rejected with 429 to one address, and with 503 in all, until some have ended", async () => {
    const slots = new ResponseSlots({ responsesMax: 64, responsesPerPrefixMax: 32 });
    const ends: (() => void)[] = [];
    const answers: Promise<void>[] = [];
    const begin = (address: string) =>
      answers.push(slots.use(address, () => new Promise<void>((resolve) => ends.push(resolve))));
    for (let count = 0; count < snapshotResponsesPerAddressMax; count++) begin("192.0.2.1");
    await expect(slots.use("192.0.2.1", () => Promise.resolve())).rejects.toMatchObject({ status: 429 });
    for (let count = 0; ends.length < snapshotResponsesMax; count++) begin(`192.0.2.${2 + (count % 9)}`);
    await expect(slots.use("192.0.2.99", () => Promise.resolve())).rejects.toMatchObject({
      status: 503,
      retryAfterSeconds: 1,
    });
    for (const end of ends) end();
    await Promise.all(answers);
    await slots.use("192.0.2.1", () => Promise.resolve());
  });
});

describe("a client that does not read", () => {
  it("is sent no more than the system's buffers hold", async () => {
    const source = new CountedAccounts();
    const socket = await askAndNotRead(await serve(source));
    const madeBytes = (await settled(source)) * accountBytes;
    expect(madeBytes).toBeGreaterThan(0);
    expect(madeBytes).toBeLessThan(16 * 1024 * 1024);
    socket.destroy();
  });

  it.each([{ isGzip: false }, { isGzip: true }])(
    "leaves nothing behind when it goes away (gzip: $isGzip)",
    async (how) => {
      const source = new CountedAccounts();
      const socket = await askAndNotRead(await serve(source, { ...honestHooks(), ...how }));
      await until(() => source.made > 0);
      expect(source.isClosed).toBe(false);
      socket.destroy();
      await until(() => source.isClosed);
    },
  );

  it("does not delay other clients", async () => {
    const url = await serve(new CountedAccounts());
    const sockets = await Promise.all(Array.from({ length: 5 }, () => askAndNotRead(url)));
    expect((await fetch(new URL("/netconfig", url))).status).toBe(200);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual(sockets.map(() => false));
    for (const socket of sockets) socket.destroy();
  });
});

describe("a request", () => {
  it("that is longer than the bound is rejected", async () => {
    const url = await serve(new CountedAccounts());
    const response = await fetch(new URL("/snapshot", url), { method: "POST", body: "1".repeat(10_000) });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: "the request's body has more than 4096 bytes" });
  });

  it("that causes a bug results in 500", async () => {
    const source = {
      select: () => [],
      count: () => {
        throw new Error("a bug");
      },
    };
    const url = await serve(source);
    const response = await fetch(new URL("/snapshot", url), {
      method: "POST",
      body: JSON.stringify({ timestamp }),
    });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: "internal error" });
  });
});

it("a response that is cut by a fault reaches its client to its last byte, and has no end", async () => {
  const hooks = honestHooks();
  const bytes = 32 * 1024 * 1024; // more than the system's buffers hold
  hooks.responses.text.push(async function* () {
    yield await Promise.resolve("its first bytes");
    yield "x".repeat(bytes);
    throw new ResponseCutError();
  });
  const url = await serve(new CountedAccounts(), hooks);
  const response = await fetch(new URL("/snapshot", url), {
    method: "POST",
    body: JSON.stringify({ timestamp }),
  });
  let received = 0;
  const readAll = async () => {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) received += chunk.length;
  };
  await expect(readAll()).rejects.toThrow("terminated");
  expect(received).toBe(bytes + 15);
});
