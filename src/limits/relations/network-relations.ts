/** Relations between the bounds on a network, its gossip, its snapshots, and the collector. */

import * as collect from "../collect.ts";
import * as database from "../database.ts";
import * as gossip from "../gossip.ts";
import * as http from "../http.ts";
import * as json from "../json.ts";
import * as network from "../network.ts";
import * as response from "../response.ts";
import * as snapshot from "../snapshot.ts";
import * as sync from "../sync.ts";
import { ascends, strictlyAscends } from "./order.ts";
import type { Relation } from "./relation.ts";

const networkRelations: readonly Relation[] = [
  {
    id: "a sample of validators is queried at once, and is smaller than the search for a proof",
    holds: ascends(network.netconfigNodesAtOnce, network.netconfigNodes, network.netconfigProofNodes),
  },
  {
    id: "validators respond before lists time out",
    holds: network.netconfigTimeMaxMs < network.listTimeMaxMs,
  },
  {
    id: "a cycle has a duration",
    holds: strictlyAscends(0, network.cycleSecondsMin, network.cycleSecondsMax),
  },
];

const gossipRelations: readonly Relation[] = [
  {
    id: "a response's framer takes the largest message",
    holds: gossip.gossipMessageBytesMax <= response.recordBytesMax,
  },
  {
    id: "requests without stragglers are fewer than those in flight",
    holds: gossip.gossipRequestsAtOnce <= gossip.gossipRequestsMax,
  },
  {
    id: "requests for gossip are checked before they are hedged",
    holds: strictlyAscends(gossip.gossipCheckMs, gossip.gossipHedgeMinMs, gossip.gossipHedgeMaxMs),
  },
  {
    id: "gossip is hedged before it stalls",
    holds: http.bytesPerSecondMin < gossip.gossipBytesPerSecondMin,
  },
  {
    id: "the waits for stragglers are shorter than the time for all gossip",
    holds: strictlyAscends(
      gossip.gossipGraceMs,
      gossip.gossipLateVotesMs,
      gossip.gossipStragglersMs,
      gossip.gossipTimeMaxMs,
    ),
  },
  {
    id: "an evidence file holds the votes of a run and their contradictions",
    holds:
      gossip.gossipVotesBytesMax + gossip.gossipContradictionsBytesMax <=
      Math.min(snapshot.evidenceFileBytesMax, snapshot.gossipEvidenceBytesMax),
  },
  {
    id: "a gossip file holds the content of a pipe, and a pipe the largest message",
    holds: strictlyAscends(
      gossip.gossipMessageBytesMax,
      gossip.gossipPipeBytesMax,
      gossip.gossipFileBytesMax,
    ),
  },
  { id: "a sender's equivocation can be proved", holds: gossip.gossipMessagesPerSenderMax >= 2 },
];

const snapshotRelations: readonly Relation[] = [
  {
    id: "the manifest has 250 bytes for each partition of the largest network",
    holds: 250 * (network.nodesMax + 1) <= snapshot.manifestBytesMax,
  },
  {
    id: "the run record of any network is smaller than its bound",
    holds: snapshot.runRecordBytesBase <= snapshot.runRecordBytesMax,
  },
  {
    id: "evidence of a later version fits the bound of any file",
    holds: snapshot.otherEvidenceBytesMax <= snapshot.evidenceFileBytesMax,
  },
  {
    id: "the database keeps no more offences of a node than a run records",
    holds: database.recordedOffencesMax <= sync.offencesPerNodeMax,
  },
  {
    id: "the database reads evidence of any one message",
    holds:
      json.jsonValuesMax <= database.databaseEvidenceValuesMax &&
      gossip.gossipMessageBytesMax <= database.databaseEvidenceBytesMax,
  },
];

const collectRelations: readonly Relation[] = [
  {
    id: "messages are accepted for more cycles than a false advance of the chain",
    holds: collect.chainSlackCycles < collect.collectCyclesBehind,
  },
  {
    id: "the durations of the chain's cycles are durations of cycles",
    holds: strictlyAscends(
      network.cycleSecondsMin,
      collect.chainCycleSecondsMin,
      collect.chainCycleSecondsMax,
      network.cycleSecondsMax,
    ),
  },
  {
    id: "a push holds the largest message, and one prefix leaves bodies to others",
    holds: strictlyAscends(
      gossip.gossipMessageBytesMax,
      collect.pushBodyBytesMax,
      collect.pushBodiesBytesPerPrefixMax,
      collect.pushBodiesBytesMax,
    ),
  },
  {
    id: "one prefix leaves connections to others",
    holds: collect.collectConnectionsPerPrefixMax < collect.collectConnectionsMax,
  },
  {
    id: "one prefix leaves responses to others",
    holds: collect.gossipResponsesPerPrefixMax < collect.gossipResponsesMax,
  },
  {
    id: "one prefix leaves signature checks to others",
    holds:
      collect.signaturesWaitingPerPrefixMax < collect.signaturesWaitingMax &&
      collect.signaturesWaitingBytesPerPrefixMax < collect.signaturesWaitingBytesMax,
  },
  {
    id: "the largest message can wait for its check",
    holds: gossip.gossipMessageBytesMax <= collect.signaturesWaitingBytesPerPrefixMax,
  },
  {
    id: "every signature that waits can be remembered",
    holds: collect.signaturesWaitingMax <= collect.verifiedVotesMax,
  },
  { id: "a poll has at least one round", holds: collect.gossipNodesPerRound <= collect.pollNodesMax },
];

export const networkAndGossipRelations: readonly Relation[] = [
  ...networkRelations,
  ...gossipRelations,
  ...snapshotRelations,
  ...collectRelations,
];
