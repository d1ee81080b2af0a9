/** Fetches the missing partitions of a snapshot. */

import type { AgreedHashes } from "../../agreement/agreed-hashes.ts";
import type { Problem } from "../../errors/problem.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import { offerState } from "../../events/debug-channel.ts";
import type { RunLog } from "../../events/run-log.ts";
import type { SyncEvent } from "../../events/sync-events.ts";
import { artifactFile } from "../../format/artifact.ts";
import { mirrorName } from "../../mirror/mirror-url.ts";
import { isNodeId, type Partition } from "../../protocol/brands.ts";
import { hashText } from "../../protocol/crypto/hash.ts";
import { EMPTY_PREIMAGE } from "../../protocol/partition-hash.ts";
import { queryOrder } from "../../protocol/query-order.ts";
import type { Shard } from "../../protocol/shard.ts";
import { findSeeds } from "../../seed/find-seeds.ts";
import { PartialSnapshot } from "../../store/partial-snapshot.ts";
import { PartitionFetch } from "../../sync/fetch-partitions.ts";
import { IncompleteError } from "../../sync/incomplete.ts";
import { PeerPool } from "../../sync/peers/peer-pool.ts";
import type { ArtifactStore, Clock, SyncPorts } from "../../sync/ports.ts";
import type { SchedulerTask } from "../../sync/run-state.ts";
import { counted } from "../../text/counted.ts";
import type { Attempt, Run } from "./assembly-run.ts";
import { ArtifactTransport } from "./mirror-transport.ts";
import { findBases, takeUnchanged } from "./place/bases.ts";
import { prepareArtifacts } from "./place/prepare.ts";
import { type Published, publishedHashes } from "./place/published.ts";
import { SnapshotTransport, type TransportPlace } from "./snapshot-transport.ts";
import { WakefulClock } from "./wakeful-clock.ts";

export type FetchOutcome =
  | { readonly kind: "complete"; readonly partial: PartialSnapshot }
  /** No node holds one of the partitions. An older snapshot may be held. */
  | { readonly kind: "not-held"; readonly problem: Problem };

/**
 * Fills the partial snapshot from earlier runs, from a published snapshot, from the validators, and from mirrors.
 *
 * @throws SnapshotError if a partition that validators hold cannot be fetched
 */
export async function fetchPartitions(
  run: Run,
  { candidate, hasOlder }: Attempt,
  shard: Shard,
  agreed: AgreedHashes,
  published: Published,
): Promise<FetchOutcome> {
  const { settings, known, log } = run;
  const { hashKey, signal } = settings;
  const { order, concurrency } = settings.fetching;
  const { timestamp, members } = candidate;
  const place = { ...settings.output, timestamp, hashKey, numPartitions: shard.numNodes };
  const partial = await PartialSnapshot.open(place);
  const missing = await prepareArtifacts(partial, agreed.partitionHashes, {
    hashKey,
    published: published.state === "none" ? undefined : await publishedHashes(place, shard.numNodes),
    log,
    signal,
  });
  if (published.state === "damaged") reportMissing(missing, published, log);
  const seeds = await findSeeds(settings.fetching.seeds, place);
  const { partitionHashes: agreedHashes } = agreed;
  await takeUnchanged(seeds, partial, missing, { shard, agreedHashes, hashKey, log, signal });
  const bases = await findBases(seeds, partial, missing, shard);
  log.stage(`fetching ${missing.size} of ${counted(shard.numNodes + 1, "partition")}`);
  const task: SchedulerTask = {
    shard,
    timestamp,
    missing,
    agreedHashes,
    emptyHash: hashText(EMPTY_PREIMAGE, hashKey),
    rule: order,
    concurrency,
    hasOlder,
    bases,
  };
  const mirrors = settings.fetching.mirrors.map(mirrorName);
  const { nodes } = members;
  const pool = new PeerPool(nodes, shard, queryOrder(shard.numNodes), known?.ranks(nodes), mirrors);
  const clock = new WakefulClock();
  const stopClock = clock.start();
  const fetch = new PartitionFetch(task, pool, portsOf(run, partial, shard, agreed, clock));
  const withdrawState = offerState(() => ({ type: "fetch", timestamp, ...fetch.describe() }));
  try {
    await fetch.run(signal);
    return { kind: "complete", partial };
  } catch (error) {
    // The beginnings of partitions are kept for the next run, unless they fill the disk.
    if (error instanceof SnapshotError && error.code === "disk")
      await partial.dropIncoming().catch(() => undefined);
    if (!(error instanceof IncompleteError) || !error.isHeldByNobody) throw error;
    const { code, message, hint, details } = error;
    return { kind: "not-held", problem: { code, message, hint, details, cause: error } };
  } finally {
    withdrawState();
    stopClock();
  }
}

/** Reports missing artifacts that the check could not find because the export data are damaged. */
function reportMissing(
  missing: ReadonlySet<Partition>,
  { damage }: Extract<Published, { readonly state: "damaged" }>,
  log: RunLog,
): void {
  const files = [...missing].map((partition) => artifactFile(partition, "none"));
  const lacking = files
    .filter((name) => !damage.some(({ file }) => file.startsWith(name)))
    .map((file) => ({ file, problem: "the file is missing or does not have the agreed hash" }));
  if (lacking.length === 0) return;
  log.record({ type: "damaged", files: lacking });
  log.warn(`the published snapshot also lacks ${lacking.map(({ file }) => file).join(", ")}`);
}

function portsOf(
  { settings, clients, known, log }: Run,
  partial: PartialSnapshot,
  shard: Shard,
  agreed: AgreedHashes,
  clock: Clock,
): SyncPorts {
  const { timestamp } = partial;
  let responses = 0;
  const place: TransportPlace = {
    shard,
    hashKey: settings.hashKey,
    timestamp,
    nextResponse: () => responses++,
    incomingPath: (response, partition, content) => partial.incomingPath(response, partition, content),
  };
  const transport = new SnapshotTransport(clients.nodes, place);
  const wanted = { timestamp, numPartitions: shard.numNodes, networkHash: agreed.networkHash };
  const mirrors = new ArtifactTransport(clients.lists, settings.fetching.mirrors, wanted, place);
  const store: ArtifactStore = {
    accept: ({ partition, path }) => partial.accept(partition, path),
    discard: ({ path }) => partial.discard(path),
    remove: (path) => partial.discard(path),
    freeBytes: () => partial.freeBytes(),
  };
  const emit = (event: SyncEvent) => {
    log.record(event);
    if (event.type === "mismatched" && isNodeId(event.node))
      known?.noteMismatch(event.node, event.mismatch, agreed);
  };
  return { transport, mirrors, store, clock, random: Math.random, emit };
}
