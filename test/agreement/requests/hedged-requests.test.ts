import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { HedgedRequest } from "../../../src/agreement/requests/hedged-request.ts";
import { HedgedRequests, type HedgedWork } from "../../../src/agreement/requests/hedged-requests.ts";
import { asNodeId } from "../../../src/protocol/brands.ts";
import type { ActiveNode } from "../../../src/protocol/node.ts";

const bounds = {
  slotsMax: 2,
  requestsMax: 8,
  hedgeMaxMs: 30,
  hedgeMinMs: 10,
  hedgeFactor: 2,
  bytesPerSecondMin: 1_000,
  checkMs: 2,
};

/** Queries nodes 0, 1, 2, …; `act` is the behaviour of each until its request ends. */
class Work implements HedgedWork {
  readonly started: number[] = [];
  readonly ended = new Set<number>();
  readonly evicted: number[] = [];
  readonly #act: (node: number, request: HedgedRequest) => Promise<void>;
  readonly #nodes: number;

  constructor(nodes: number, act: (node: number, request: HedgedRequest) => Promise<void>) {
    this.#nodes = nodes;
    this.#act = act;
  }

  next() {
    const id = asNodeId(String(this.started.length).padStart(64, "0"));
    return this.hasMore() ? { node: { id, url: "", publicKey: undefined }, isFirst: true } : undefined;
  }

  hasMore(): boolean {
    return this.started.length < this.#nodes;
  }

  async request({ id }: ActiveNode, request: HedgedRequest): Promise<void> {
    const node = Number(id);
    this.started.push(node);
    await Promise.race([this.#act(node, request), ended(request)]);
    if (request.isEvicted) this.evicted.push(node);
    else this.ended.add(node);
  }

  isOver(): boolean {
    return false;
  }

  stragglersMs(): number {
    return 20;
  }
}

const never = () => new Promise<void>(() => undefined);

function ended({ signal }: HedgedRequest): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** A clock that advances by a step at each reading. */
function clock(stepMs: number): { readonly nowMs: () => number; pass(ms: number): void } {
  let atMs = 0;
  return {
    nowMs: () => {
      atMs += stepMs;
      return atMs;
    },
    pass: (ms) => {
      atMs += ms;
    },
  };
}

async function run(work: Work, { nowMs } = clock(1)): Promise<Work> {
  await new HedgedRequests(work, bounds, nowMs).run();
  return work;
}

describe("hedged requests", () => {
  it("have a bounded number of slots", async () => {
    let underWay = 0;
    let most = 0;
    const work = await run(
      new Work(10, async () => {
        most = Math.max(most, ++underWay);
        await pause(1);
        underWay--;
      }),
      clock(0),
    );
    expect(work.ended.size).toBe(10);
    expect(most).toBe(2);
  });

  it("go to other nodes while the first ones are stragglers, and end once only stragglers are left", async () => {
    const work = await run(new Work(10, (node) => (node < 5 ? never() : Promise.resolve())));
    expect(work.started).toHaveLength(10);
    expect(work.evicted).toEqual([]);
  });

  it("evict the straggler with the fewest bytes if sockets run out, and reach all other nodes", async () => {
    const work = await run(
      new Work(40, async (node, request) => {
        if (node === 3) request.credit(1, 0);
        if (node < 20) await never();
      }),
    );
    expect(work.started).toHaveLength(40);
    expect(work.evicted.length).toBeGreaterThan(0);
    expect(work.evicted).not.toContain(3);
  });

  it("keep a slot for a request with useful bytes", async () => {
    const time = clock(0);
    const startedWhile: number[] = [];
    const work = new Work(6, async (node, request) => {
      if (node > 1) return;
      for (let step = 0; step < 20; step++) {
        request.credit(1_000, time.nowMs());
        startedWhile.push(work.started.length);
        await pause(1);
        time.pass(20);
      }
    });
    await run(work, time);
    expect(Math.max(...startedWhile)).toBe(2);
    expect(work.ended.size).toBe(6);
  });

  it("rethrow a bug of their work", async () => {
    const bug = new Error("bug");
    await expect(run(new Work(3, () => Promise.reject(bug)))).rejects.toBe(bug);
  });
});
