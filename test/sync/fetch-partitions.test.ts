import { describe, expect, it } from "vitest";
import type { ResponseReceiver, ResponseReport } from "../../src/artifact/response-report.ts";
import { FetchError } from "../../src/errors/fetch-error.ts";
import { ResponseError } from "../../src/errors/response-error.ts";
import { diskError } from "../../src/errors/snapshot-error.ts";
import type { SyncEvent } from "../../src/events/sync-events.ts";
import { unconfirmedBytesFirst } from "../../src/limits/sync.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import type { Shard } from "../../src/protocol/shard.ts";
import { VirtualClock } from "../../src/simulator/virtual-clock.ts";
import { PartitionFetch } from "../../src/sync/fetch-partitions.ts";
import type { ArtifactStore, PartialSnapshotRequest, ResponseObserver } from "../../src/sync/ports.ts";
import type { SchedulerTask } from "../../src/sync/run-state.ts";
import { asHashes, asPartitions, hashNamed } from "../helpers/brands.ts";
import { allStoreAll, eachStoresOne, mismatchOf, peerPool, reportOf } from "./scheduler-driver.ts";

interface Exchange extends PartialSnapshotRequest {
  readonly peer: number;
  readonly receiver: ResponseReceiver;
  readonly observer: ResponseObserver;
}

type Respond = (exchange: Exchange) => Promise<ResponseReport>;

const complete = reportOf({ kind: "complete" });
const never = new AbortController().signal;

/** Gives every requested partition. */
async function giveAll({ receiver, observer }: Exchange): Promise<ResponseReport> {
  observer.wire(10);
  observer.received(10);
  for (const partition of receiver.requested) await give(receiver, partition);
  observer.waiting();
  observer.ended();
  return complete;
}

async function give(receiver: ResponseReceiver, partition: number): Promise<void> {
  if (receiver.expected(asPartition(partition)) === undefined) return;
  receiver.begin(asPartition(partition));
  await receiver.commit({
    partition: asPartition(partition),
    accounts: 1,
    bytes: 10,
    baseBytes: 0,
    path: `/${partition}`,
  });
}

/** Ends with the error of an ended request once the run ends it. */
async function hang({ signal }: Exchange): Promise<ResponseReport> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return reportOf({ kind: "failed", error: new FetchError("aborted", "ended") });
}

interface Setting {
  readonly shard?: Shard;
  readonly task?: Partial<SchedulerTask>;
  readonly store?: Partial<ArtifactStore>;
}

/** Runs a fetch whose transport is a function per peer; time passes while nothing else is left to do. */
function fetchWith(respond: readonly Respond[], { shard = eachStoresOne, task, store }: Setting = {}) {
  const clock = new VirtualClock();
  const events: SyncEvent[] = [];
  const accepted: number[] = [];
  const missing = Array.from({ length: respond.length }, (_, partition) => partition);
  const fetch = new PartitionFetch(
    {
      shard,
      timestamp: 1,
      missing: asPartitions(missing),
      agreedHashes: asHashes(
        new Map(missing.map((partition) => [partition, hashNamed(`hash ${partition}`)])),
      ),
      emptyHash: hashNamed("empty"),
      rule: "bisect",
      concurrency: 4,
      hasOlder: false,
      ...task,
    },
    peerPool(shard),
    {
      transport: {
        request: (request, receiver, observer) => {
          const peer = Number(request.node.id[0]);
          return (respond[peer] ?? giveAll)({ ...request, peer, receiver, observer });
        },
      },
      store: {
        accept: ({ partition }) => Promise.resolve(void accepted.push(partition)),
        discard: () => Promise.resolve(),
        remove: () => Promise.resolve(),
        freeBytes: () => Promise.resolve(1e12),
        ...store,
      },
      clock,
      random: () => 0,
      emit: (event) => events.push(event),
    },
  );
  const run = (signal?: AbortSignal) =>
    clock.drive(fetch.run(signal), { untilMs: 1e9, steps: 10_000, isStuck: () => false });
  const outcomes = () =>
    events.flatMap((event) => (event.type === "response" ? [`${event.node[0]} ${event.outcome}`] : []));
  const offences = () =>
    events.flatMap((event) =>
      event.type === "offence" ? [`${event.offence.node[0]} ${event.offence.kind}`] : [],
    );
  return { fetch, clock, run, accepted, outcomes, offences };
}

describe("a fetch", () => {
  it("stores every missing partition and reports each response", async () => {
    const { run, accepted, outcomes } = fetchWith([giveAll, giveAll, giveAll, giveAll]);
    await run();
    expect(accepted.sort()).toEqual([0, 1, 2, 3]);
    expect(outcomes().sort()).toEqual(["0 complete", "1 complete", "2 complete", "3 complete"]);
  });

  it("ends with the reason of its signal, once every request has ended", async () => {
    const { run, fetch, clock, outcomes } = fetchWith([hang, hang]);
    const abort = new AbortController();
    const ended = run(abort.signal);
    await clock.sleep(0, never);
    abort.abort(new Error("stop"));
    await expect(ended).rejects.toThrow("stop");
    expect(outcomes()).toEqual([]);
    expect(fetch.describe().queries).toHaveLength(2);
  });

  it("ends with an error that is not a peer's, and ends the other requests", async () => {
    const { run } = fetchWith([hang, () => Promise.reject(new Error("a bug"))]);
    await expect(run()).rejects.toThrow("a bug");
  });

  it("fails where no peer gives a partition", async () => {
    const wrong: Respond = () =>
      Promise.resolve(reportOf({ kind: "complete" }, { mismatched: [mismatchOf(0)] }));
    const { run, offences } = fetchWith([wrong]);
    await expect(run()).rejects.toMatchObject({ code: "verification" });
    expect(offences()).toEqual(["0 wrong-partition"]);
  });

  it("hedges a silent peer, and ends its request as hedged", async () => {
    const { run, outcomes, offences } = fetchWith([hang], { shard: allStoreAll });
    await run();
    expect(outcomes()).toEqual(["2 complete", "0 hedged"]);
    expect(offences()).toEqual([]);
  });

  it("continues with other peers where the disk is full", async () => {
    const full: Respond = ({ receiver }) => {
      receiver.begin(asPartition(0));
      const cause = Object.assign(new Error("no space"), { code: "ENOSPC" });
      return Promise.reject(diskError("cannot write", cause));
    };
    const { run, outcomes } = fetchWith([full], { shard: allStoreAll });
    await run();
    expect(outcomes()).toEqual(["0 disk-full", "2 complete"]);
  });

  it("ends where the disk fails in another way", async () => {
    const { run } = fetchWith([giveAll], {
      store: { accept: () => Promise.reject(diskError("cannot write", new Error("read-only"))) },
    });
    await expect(run()).rejects.toMatchObject({ code: "disk" });
  });

  it("takes a response that fails after its partitions as given", async () => {
    const breaksOff: Respond = async (exchange) => {
      await giveAll(exchange);
      return reportOf({ kind: "failed", error: new FetchError("reset", "broken off") });
    };
    const { run, accepted, outcomes } = fetchWith([breaksOff]);
    await run();
    expect([accepted, outcomes()]).toEqual([[0], ["0 reset"]]);
  });
});

describe("a response", () => {
  it("that gives what another response has given is dropped", async () => {
    const discarded: string[] = [];
    const late: Respond = async ({ receiver, signal }) => {
      receiver.begin(asPartition(0));
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await receiver.commit({
        partition: asPartition(0),
        accounts: 1,
        bytes: 10,
        baseBytes: 0,
        path: "/late",
      });
      return reportOf({ kind: "failed", error: new FetchError("aborted", "ended") });
    };
    const { run, accepted } = fetchWith([late], {
      shard: allStoreAll,
      store: { discard: ({ path }) => Promise.resolve(void discarded.push(path)) },
    });
    await run();
    expect([accepted, discarded]).toEqual([[0], ["/late"]]);
  });

  it("that holds more than the byte budget may not continue, and is an offence once the size is known", async () => {
    const bytes = unconfirmedBytesFirst + 1;
    const large: Respond = async ({ receiver, observer }) => {
      observer.received(bytes);
      receiver.begin(asPartition(0));
      expect(receiver.stores(asPartition(0))).toBe(true);
      expect(await receiver.mayHold(1, asPartition(0))).toBe(true);
      expect(await receiver.mayHold(bytes, asPartition(0))).toBe(false);
      const error = new ResponseError("over-budget", "too much");
      return reportOf({ kind: "failed", error }, { outgrown: [{ partition: asPartition(0), bytes }] });
    };
    const { run, outcomes, offences } = fetchWith([large], { shard: allStoreAll });
    await run();
    expect(outcomes()).toEqual(["0 over-budget", "2 complete"]);
    expect(offences()).toEqual(["0 oversized-answer"]);
  });

  it("that holds more than its share of the disk counts as a full disk", async () => {
    const large: Respond = async ({ receiver }) => {
      receiver.begin(asPartition(0));
      await receiver.mayHold(1_000, asPartition(0));
      return complete;
    };
    const { run, outcomes } = fetchWith([large], {
      shard: allStoreAll,
      store: { freeBytes: () => Promise.resolve(100) },
    });
    await run();
    expect(outcomes()).toEqual(["0 disk-full", "2 complete"]);
  });

  it("without an end is ended by its length", async () => {
    const endless: Respond = ({ observer }) => {
      try {
        for (;;) observer.received(2 ** 30);
      } catch (error) {
        return Promise.resolve(reportOf({ kind: "failed", error: error as ResponseError }));
      }
    };
    const { run, outcomes } = fetchWith([endless], { shard: allStoreAll });
    await run();
    expect(outcomes()).toEqual(["0 over-budget", "2 complete"]);
  });
});
