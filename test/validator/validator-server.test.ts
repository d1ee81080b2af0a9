import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { WrappedData } from "../../src/model/account-copy.ts";
import type { AccountSource } from "../../src/validator/account-source.ts";
import { type Conduct, honestConduct } from "../../src/validator/conduct.ts";
import { HeldSnapshots } from "../../src/validator/held-snapshots.ts";
import type { JsonServer } from "../../src/validator/json-server.ts";
import { makeValidatorServer } from "../../src/validator/validator-server.ts";

const timestamp = 60_000;
const accountBytes = 10_000;

/** Accounts without end, counted as they are asked for. */
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

async function serve(source: AccountSource, conduct: Conduct = honestConduct()): Promise<URL> {
  const snapshots = new HeldSnapshots(() => ({ startMs: 0, durationMs: 60_000, finalizedMs: 60_000 }));
  snapshots.hold([[timestamp, source]]);
  server = makeValidatorServer({ netconfig: {}, snapshots, gossipOf: () => undefined, conduct });
  return new URL(await server.listen("127.0.0.1"));
}

/** Asks for the snapshot, and reads nothing of the answer. */
async function askAndNotRead({ hostname, port }: URL) {
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const body = JSON.stringify({ timestamp });
  socket.pause();
  socket.write(`POST /snapshot HTTP/1.1\r\nHost: validator\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return socket;
}

/** Until no more accounts are made. */
async function settled(source: CountedAccounts): Promise<number> {
  for (let before = -1; before !== source.made; ) {
    before = source.made;
    await sleep(200);
  }
  return source.made;
}

describe("a client that does not read", () => {
  it("is sent no more than what the system's buffers take", async () => {
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
      const socket = await askAndNotRead(await serve(source, { ...honestConduct(), ...how }));
      await sleep(200);
      expect(source.isClosed).toBe(false);
      socket.destroy();
      await settled(source);
      expect(source.isClosed).toBe(true);
    },
  );

  it("does not keep others waiting", async () => {
    const url = await serve(new CountedAccounts());
    const sockets = await Promise.all(Array.from({ length: 5 }, () => askAndNotRead(url)));
    const startedMs = performance.now();
    expect((await fetch(new URL("/netconfig", url))).status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(1000);
    for (const socket of sockets) socket.destroy();
  });
});

describe("a request", () => {
  it("that is longer than any can be is refused", async () => {
    const url = await serve(new CountedAccounts());
    const response = await fetch(new URL("/snapshot", url), { method: "POST", body: "1".repeat(10_000) });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: "the request's body has more than 4096 bytes" });
  });

  it("that meets a defect is answered with 500", async () => {
    const source = {
      select: () => [],
      count: () => {
        throw new Error("out of order");
      },
    };
    const url = await serve(source);
    const response = await fetch(new URL("/snapshot", url), {
      method: "POST",
      body: JSON.stringify({ timestamp }),
    });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: "out of order" });
  });
});
