/** Finds the hashes that the validators agreed on, from every source of votes. */

import type { AgreementOutcome } from "../../agreement/agreed-hashes.ts";
import { findAgreedHashes } from "../../agreement/find-agreement.ts";
import type { GivenGossip } from "../../agreement/given-gossip.ts";
import type { TrustSource } from "../../format/evidence/counting-rules.ts";
import type { Shard } from "../../protocol/shard.ts";
import type { Candidate } from "../../trust/read-network.ts";
import { HttpGossipSource } from "../gossip-source.ts";
import type { Run } from "./assembly-run.ts";
import { MirrorEvidence } from "./mirror-evidence.ts";
import { publishedVotes } from "./place/published.ts";

/**
 * Finds the hashes on which the validators agree in a candidate's cycle.
 *
 * @throws SnapshotError `no-agreement` if no hash has a quorum although the nodes have voted
 */
export async function agreeOn(
  run: Run,
  candidate: Candidate,
  shard: Shard,
  shardingSource: TrustSource,
): Promise<AgreementOutcome> {
  const { settings, clients, log } = run;
  const { hashKey, signal } = settings;
  const { quorum, allowEmpty } = settings.agreement;
  const { counter } = candidate.cycle;
  log.stage(`requesting the validators' hashes of cycle ${counter}`);
  const found = await findAgreedHashes(counter, {
    source: new HttpGossipSource(clients.nodes),
    nodes: candidate.members.nodes,
    shard,
    shardingSource,
    hashKey,
    quorum,
    allowEmpty,
    given: await givenVotes(run, candidate, shard.numNodes),
    log,
    signal,
  });
  if (found.kind === "agreed") log.record({ type: "agreed", networkHash: found.agreed.networkHash });
  return found;
}

/** Returns the votes of the gossip file, of the hash database, of a published snapshot, and of a mirror's evidence. */
async function givenVotes(
  { settings, clients, known, gossip, log }: Run,
  { cycle, timestamp }: Candidate,
  numPartitions: number,
): Promise<GivenGossip[]> {
  const { hashKey, signal } = settings;
  const { out } = settings.output;
  const { evidence } = settings.agreement;
  const context = { client: clients.lists, warn: (message: string) => log.warn(message), signal };
  const fromFile = gossip === undefined ? [] : [gossip];
  const fromDatabase = known === undefined ? [] : [known.given(cycle.counter)];
  const fromPublished = await publishedVotes({ out, timestamp, hashKey }, numPartitions, signal);
  const fromMirror = evidence === undefined ? [] : [new MirrorEvidence(evidence, timestamp, context)];
  const mirrored = fromMirror.map((votes) => ({ messages: votes, source: votes.source }));
  return [...fromFile, ...fromDatabase, ...fromPublished, ...mirrored];
}
