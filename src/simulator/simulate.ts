/** One simulated run: the real scheduler and its runner, over virtual peers and virtual time. */

import type { MatchedPartition } from "../artifact/response-report.ts";
import { queryOrder } from "../protocol/query-order.ts";
import { storedCount } from "../protocol/shard.ts";
import { PartitionFetch } from "../sync/fetch-partitions.ts";
import { PeerPool } from "../sync/peers/peer-pool.ts";
import type { ArtifactStore } from "../sync/ports.ts";
import type { SchedulerTask } from "../sync/run-state.ts";
import { Random } from "../testnet/state/random.ts";
import { simulatedTimestamp } from "./initial-bases.ts";
import { mirrorUrl } from "./mirrors.ts";
import { RunChecks } from "./run-checks.ts";
import {
  type Extras,
  fastBytesPerMs,
  hasSmallDisk,
  isReliable,
  makeScenario,
  type Scenario,
  sourcesOf,
} from "./scenario.ts";
import { HangError, VirtualClock } from "./virtual-clock.ts";
import { VirtualDisk } from "./virtual-disk.ts";
import { emptyContent, trueContent } from "./virtual-list.ts";
import { endlessChunkMs, endlessChunksMax, stallTimeoutMs } from "./virtual-response.ts";
import { VirtualTransport } from "./virtual-transport.ts";

export interface Simulation {
  readonly seed: string;
  /** Empty where all checks passed. */
  readonly findings: readonly string[];
  readonly outcome: "complete" | "incomplete" | "hang";
  readonly virtualMs: number;
  /** The greatest permitted duration. */
  readonly virtualMsMax: number;
  readonly requests: number;
  readonly bytes: number;
  /** How many times the missing bytes honest peers sent. */
  readonly repetition: number;
}

/** Several times the steps of the longest run that ends. */
const stepsMax = 1_000_000;

export async function simulate(seed: string, extras: Extras = "mirrors"): Promise<Simulation> {
  const scenario = makeScenario(seed, extras);
  const clock = new VirtualClock();
  const disk = diskOf(scenario);
  const checks = new RunChecks(scenario, disk);
  const nodes = scenario.peers.map(({ id }) => ({ id, url: `http://${id}`, publicKey: undefined }));
  const urls = scenario.mirrors.map(({ index }) => mirrorUrl(index - nodes.length));
  const pool = new PeerPool(nodes, scenario.shard, queryOrder(nodes.length), new Map(), urls);
  const transport = new VirtualTransport(scenario, clock, disk, checks);
  const jitter = Random.named("jitter", seed);
  const fetch = new PartitionFetch(taskOf(scenario), pool, {
    transport,
    mirrors: { request: (...request) => transport.requestArtifact(...request) },
    store: storeOf(checks, clock, disk),
    clock,
    random: () => jitter.uint32() / 2 ** 32,
    emit: (event) => checks.event(event),
  });
  const virtualMsMax = durationMaxOf(scenario);
  let outcome: Simulation["outcome"] = "complete";
  try {
    await clock.drive(fetch.run(), {
      untilMs: virtualMsMax,
      steps: stepsMax,
      isStuck: () => checks.isLingering(clock.nowMs()),
    });
    checks.ended(undefined);
  } catch (error) {
    outcome = error instanceof HangError ? "hang" : "incomplete";
    checks.ended(error);
  }
  const { findings, requests, bytes, repetition } = checks;
  return { seed, findings, outcome, virtualMs: clock.nowMs(), virtualMsMax, requests, bytes, repetition };
}

/** What a run finds at its start is on the disk; seeds are outside. */
function diskOf({ diskBytes, bases }: Scenario): VirtualDisk {
  const disk = new VirtualDisk(diskBytes);
  for (const { base, path, list } of [...bases.values()].flat()) {
    const bytes = base.kind === "beginning" ? Math.min(base.bytes, disk.freeBytes) : 0;
    disk.write(bytes);
    if (base.kind === "older") disk.keepSeed(path, list);
    else disk.keep(path, list, bytes);
  }
  return disk;
}

function taskOf(scenario: Scenario): SchedulerTask {
  const { shard, sizes, missing, rule, concurrency, hasOlder, bases } = scenario;
  const contents = [...sizes].map(([p, bytes]) => [p, bytes === 0 ? emptyContent : trueContent(p)] as const);
  return {
    shard,
    timestamp: simulatedTimestamp,
    missing,
    agreedHashes: new Map(contents),
    emptyHash: emptyContent,
    rule,
    concurrency,
    hasOlder,
    bases: new Map([...bases].map(([partition, of]) => [partition, of.map(({ base }) => base)])),
  };
}

function storeOf(checks: RunChecks, clock: VirtualClock, disk: VirtualDisk): ArtifactStore {
  return {
    accept: async (matched: MatchedPartition) => {
      await clock.sleep(1, new AbortController().signal);
      checks.accept(matched);
    },
    discard: ({ bytes }: MatchedPartition) => Promise.resolve(disk.remove(bytes)),
    remove: (path: string) => Promise.resolve(checks.remove(path)),
    freeBytes: () => Promise.resolve(disk.freeBytes),
  };
}

/**
 * The longest that a run may take: some stall timeouts for each peer that fails, and the time of the slowest peer that
 * is needed. Where fast peers give everything, slow ones cost a run no more than failing ones do: they are hedged.
 */
function durationMaxOf(scenario: Scenario): number {
  const { sizes, shard, mirrors } = scenario;
  const peers = [...scenario.peers, ...mirrors];
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const stored = (bytes * (2 * shard.storeRadius + 1)) / shard.numNodes;
  const fast = peers.filter((peer) => peer.bytesPerMs >= fastBytesPerMs);
  const isFastEnough = [...scenario.missing].every((partition) =>
    sourcesOf(scenario, partition).some(
      (peer) => fast.includes(peer) && peer.cuts === 0 && isReliable(peer, scenario),
    ),
  );
  // On a small disk, fast peers may be excluded until the slow ones have ended; peers that broke off pause.
  const needed = isFastEnough && !hasSmallDisk(scenario) && !scenario.isBrokenOff ? fast : peers;
  const slowest = Math.min(...needed.map(({ bytesPerMs }) => bytesPerMs));
  const endless = peers.filter(({ behaviour }) => behaviour.kind === "endless").length;
  const endlessMs = endless * (storedCount(shard) + 1) * endlessChunksMax * endlessChunkMs;
  // Where the disk is too small, one peer after the other is tried.
  const rounds = hasSmallDisk(scenario) ? 10 * peers.length : 10;
  // A mirror sends one artifact after the other.
  const slowestMirror = Math.min(...mirrors.map(({ bytesPerMs }) => bytesPerMs));
  const mirrorsMs = mirrors.length === 0 ? 0 : rounds * (bytes / slowestMirror + sizes.size * 1_000);
  const cutMs = scenario.isBrokenOff ? peers.length * peers.length * stallTimeoutMs : 0;
  return (
    60_000 + peers.length * 10 * stallTimeoutMs + (rounds * stored) / slowest + endlessMs + cutMs + mirrorsMs
  );
}
