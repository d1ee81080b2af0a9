/**
 * Finds the agreed hash of every partition of a cycle (PROTOCOL.md, Partition gossip), from given messages and from
 * those that validators send on request.
 */

import type { RunLog } from "../events/run-log.ts";
import type { TrustSource } from "../format/evidence/counting-rules.ts";
import type { Cycle } from "../protocol/brands.ts";
import type { ActiveNode } from "../protocol/node.ts";
import { queryOrder } from "../protocol/query-order.ts";
import type { Shard } from "../protocol/shard.ts";
import type { AgreementOutcome } from "./agreed-hashes.ts";
import { AgreementReport } from "./agreement-report.ts";
import { RelayFaults } from "./faults/relay-faults.ts";
import { admitGiven, type GivenGossip } from "./given-gossip.ts";
import type { GossipSource } from "./requests/gossip-source.ts";
import { VoteRequests } from "./requests/vote-requests.ts";
import { VoteCollection } from "./vote-collection.ts";
import type { Quorum } from "./vote-tally.ts";

export interface AgreementContext {
  readonly source: GossipSource;
  readonly nodes: readonly ActiveNode[];
  readonly shard: Shard;
  /** What proves the sharding settings. */
  readonly shardingSource: TrustSource;
  readonly hashKey: string;
  readonly quorum: Quorum;
  readonly allowEmpty: boolean;
  readonly given: readonly GivenGossip[];
  readonly log: RunLog;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Admits the given messages, requests others until the votes suffice, and counts them.
 *
 * @throws SnapshotError `no-agreement` if the votes contradict each other
 */
export async function findAgreedHashes(cycle: Cycle, context: AgreementContext): Promise<AgreementOutcome> {
  const { nodes, shard, hashKey, log, given } = context;
  const cycleShard = { ...shard, cycleNumber: cycle };
  const votes = new VoteCollection(cycleShard, nodes, hashKey);
  const faults = new RelayFaults();
  for (const gossip of given) if (gossip.isDamaged !== true) await admitGiven(gossip, votes, log);
  const ordered = queryOrder(nodes.length).flatMap((index) => nodes[index] ?? []);
  const requests = new VoteRequests(votes, faults, { ...context, nodes: ordered });
  await requests.run();
  for (const gossip of given) if (gossip.isDamaged === true) await admitGiven(gossip, votes, log);
  const { offences, unattributed } = faults.attribute();
  for (const offence of offences) log.offence(offence);
  if (unattributed !== undefined) log.warn(`a gossip message does not count: ${unattributed}`);
  return new AgreementReport(votes, requests.failures, context).result();
}
