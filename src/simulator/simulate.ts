/** One simulated run: the real scheduler and its runner, over virtual peers and virtual time. */

import type { MatchedPartition } from "../artifact/response-report.ts";
import { queryOrder } from "../protocol/query-order.ts";
import { storedCount, stores } from "../protocol/shard.ts";
import { PartitionFetch } from "../sync/fetch-partitions.ts";
import { PeerPool } from "../sync/peer-pool.ts";
import type { ArtifactStore } from "../sync/ports.ts";
import type { SchedulerTask } from "../sync/run-state.ts";
import { Random } from "../testnet/state/random.ts";
import { RunChecks } from "./run-checks.ts";
import { fastBytesPerMs, isReliable, makeScenario, type Scenario } from "./scenario.ts";
import { HangError, VirtualClock } from "./virtual-clock.ts";
import {
  emptyContent,
  endlessChunkMs,
  endlessChunksMax,
  stallTimeoutMs,
  trueContent,
  VirtualTransport,
} from "./virtual-transport.ts";

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
const stepsMax = 100_000;

export async function simulate(seed: string): Promise<Simulation> {
  const scenario = makeScenario(seed);
  const clock = new VirtualClock();
  const checks = new RunChecks(scenario);
  const nodes = scenario.peers.map(({ id }) => ({ id, url: `http://${id}`, publicKey: id }));
  const pool = new PeerPool(nodes, scenario.shard, queryOrder(nodes.length));
  const jitter = Random.named("jitter", seed);
  const fetch = new PartitionFetch(taskOf(scenario), pool, {
    transport: new VirtualTransport(scenario, clock, checks),
    store: storeOf(checks, clock),
    clock,
    random: () => jitter.uint32() / 2 ** 32,
    emit: (event) => checks.event(event),
  });
  const virtualMsMax = durationMaxOf(scenario);
  let outcome: Simulation["outcome"] = "complete";
  try {
    await clock.drive(fetch.run(), virtualMsMax, stepsMax);
    checks.ended(undefined);
  } catch (error) {
    outcome = error instanceof HangError ? "hang" : "incomplete";
    checks.ended(error);
  }
  const { findings, requests, bytes, repetition } = checks;
  return { seed, findings, outcome, virtualMs: clock.nowMs(), virtualMsMax, requests, bytes, repetition };
}

function taskOf({ shard, sizes, missing, rule, concurrency, hasOlder }: Scenario): SchedulerTask {
  const contents = [...sizes].map(([p, bytes]) => [p, bytes === 0 ? emptyContent : trueContent(p)] as const);
  return {
    shard,
    timestamp: 1_700_000_000_000,
    missing,
    agreedHashes: new Map(contents),
    emptyHash: emptyContent,
    rule,
    concurrency,
    hasOlder,
  };
}

function storeOf(checks: RunChecks, clock: VirtualClock): ArtifactStore {
  const never = new AbortController().signal;
  return {
    accept: async ({ partition, path }: MatchedPartition) => {
      await clock.sleep(1, never);
      checks.accept(partition, path);
    },
    discard: () => Promise.resolve(),
    freeBytes: () => Promise.resolve(Number.MAX_SAFE_INTEGER),
  };
}

/**
 * The longest that a run may take: some stall timeouts for each peer that fails, and the time of the slowest peer that
 * is needed. Where fast peers give everything, slow ones cost a run no more than failing ones do: they are hedged.
 */
function durationMaxOf(scenario: Scenario): number {
  const { peers, sizes, shard } = scenario;
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const stored = (bytes * (2 * shard.storeRadius + 1)) / shard.numNodes;
  const fast = peers.filter((peer) => peer.bytesPerMs >= fastBytesPerMs);
  const isFastEnough = [...scenario.missing].every((partition) =>
    peers.some(
      (peer, index) => fast.includes(peer) && isReliable(peer, scenario) && stores(shard, index, partition),
    ),
  );
  const needed = isFastEnough ? fast : peers;
  const slowest = Math.min(...needed.map(({ bytesPerMs }) => bytesPerMs));
  const endless = peers.filter(({ behaviour }) => behaviour.kind === "endless").length;
  const endlessMs = endless * (storedCount(shard) + 1) * endlessChunksMax * endlessChunkMs;
  return 60_000 + peers.length * 10 * stallTimeoutMs + (10 * stored) / slowest + endlessMs;
}
