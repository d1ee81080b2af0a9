/** The relations between bounds of different rooms, checked when this module is loaded. */

import * as collect from "./collect.ts";
import * as database from "./database.ts";
import * as disk from "./disk.ts";
import * as gossip from "./gossip.ts";
import * as http from "./http.ts";
import * as server from "./http-server.ts";
import * as json from "./json.ts";
import * as network from "./network.ts";
import { type Relation, requireRelations } from "./relation.ts";
import * as response from "./response.ts";
import * as snapshot from "./snapshot.ts";
import * as sync from "./sync.ts";
import * as text from "./text.ts";

/** Whether numbers ascend; equal neighbours count as ascending. */
const ascends = (...values: readonly number[]): boolean =>
  values.every((value, index) => index === 0 || (values[index - 1] ?? value) <= value);

/** Whether numbers ascend, each larger than the one before. */
const climbs = (...values: readonly number[]): boolean =>
  ascends(...values) && new Set(values).size === values.length;

const jsonRelations: readonly Relation[] = [
  { id: "an account has fewer values than a text", holds: json.accountValuesMax < json.jsonValuesMax },
  {
    id: "a text holds three hashes for each partition of the largest network",
    holds: 3 * network.nodesMax < json.jsonValuesMax,
  },
  { id: "nested lists end before the depth does", holds: json.nestedListsMax < json.depthMax },
  {
    id: "a nested big integer is shorter than another",
    holds: json.nestedBigIntegerDigitsMax < json.bigIntegerDigitsMax,
  },
  {
    id: "a finding has room for quotations, and a line for a finding",
    holds: climbs(text.quotedCharactersMax, snapshot.findingCharactersMax, text.lineCharactersMax),
  },
];

const responseRelations: readonly Relation[] = [
  {
    id: "white space is shorter than a held record, and that than a record",
    holds: climbs(response.whiteSpaceRunMax, response.heldRecordBytesMax, response.recordBytesMax),
  },
  {
    id: "the bytes that wait to be written fit what a response may hold",
    holds: climbs(disk.writeBufferBytes, disk.pendingBytesMax, sync.unconfirmedBytesFirst),
  },
  {
    id: "a response may hold one record before a hash confirms it",
    holds: response.recordBytesMax < sync.unconfirmedBytesFirst,
  },
  {
    id: "unconfirmed bytes grow towards the largest partition",
    holds: climbs(sync.unconfirmedBytesFirst, sync.responseBytesPerPartition, sync.partitionBytesMax),
  },
  {
    id: "unconfirmed bytes grow at each step",
    holds: climbs(1, sync.unconfirmedPerConfirmed, sync.unconfirmedFactor),
  },
  {
    id: "responses leave free disk to other programs",
    holds: climbs(0, sync.unconfirmedDiskShare, sync.unconfirmedDiskShareLast, 1),
  },
  {
    id: "a connection receives no more at once than a write buffer holds",
    holds: http.receiveBufferBytes <= disk.writeBufferBytes,
  },
  { id: "a sorted run holds the largest record", holds: response.recordBytesMax <= disk.sortChunkBytes },
  { id: "a merge has more than one run", holds: disk.sortFanInMax >= 2 },
  { id: "a pipe is checked while it is waited for", holds: disk.pipeCheckMs < disk.pipeWaitMaxMs },
];

const httpRelations: readonly Relation[] = [
  {
    id: "gzip's empty blocks end before its ratio counts",
    holds: http.gzipIdleBytesMax < http.gzipRatioFromBytes,
  },
  {
    id: "pauses between attempts grow, and are shorter than the longest Retry-After",
    holds: climbs(http.backoffFirstMs, http.backoffLastMs, http.retryAfterMaxMs),
  },
  {
    id: "a server's parser gets less at once than the headers of a request",
    holds: server.parsedBytesAtOnce <= server.requestHeaderBytesMax,
  },
  {
    id: "one address prefix has room for a full pipeline",
    holds: server.pipelinedRequestsMax < server.waitingRequestsPerPrefixMax,
  },
];

const syncRelations: readonly Relation[] = [
  {
    id: "stragglers are checked for before they are due",
    holds: climbs(sync.stragglerCheckMs, sync.stragglerAfterMs, sync.stragglerUnmeasuredMs),
  },
  {
    id: "the pauses between checks for stragglers grow up to a bound below the time of an unmeasured one",
    holds: climbs(sync.stragglerCheckMs, sync.stragglerCheckMaxMs, sync.stragglerUnmeasuredMs),
  },
  {
    id: "a response becomes a straggler before it stalls",
    holds: http.bytesPerSecondMin < sync.unmeasuredBytesPerSecond,
  },
  {
    id: "a partition of a straggler can be hedged",
    holds: sync.queriesPerPartitionMax >= 2 && sync.hedgesMax >= 1,
  },
  { id: "hedged requests leave places to others", holds: sync.hedgesMax < sync.concurrencyMax },
  {
    id: "the weight of the newest response is a share",
    holds: sync.speedSmoothing > 0 && sync.speedSmoothing < 1,
  },
];

const networkRelations: readonly Relation[] = [
  {
    id: "a sample of validators is requested at once, and is smaller than the search for a proof",
    holds: ascends(network.netconfigNodesAtOnce, network.netconfigNodes, network.netconfigProofNodes),
  },
  {
    id: "validators respond before lists time out",
    holds: network.netconfigTimeMaxMs < network.listTimeMaxMs,
  },
  { id: "a cycle has a duration", holds: climbs(0, network.cycleSecondsMin, network.cycleSecondsMax) },
];

const gossipRelations: readonly Relation[] = [
  {
    id: "a response's framer takes the largest message",
    holds: gossip.gossipMessageBytesMax <= response.recordBytesMax,
  },
  {
    id: "requests that hold a place are part of those in flight",
    holds: gossip.gossipRequestsAtOnce <= gossip.gossipRequestsMax,
  },
  {
    id: "requests for gossip are checked before they are hedged",
    holds: climbs(gossip.gossipCheckMs, gossip.gossipHedgeMinMs, gossip.gossipHedgeMaxMs),
  },
  {
    id: "gossip is hedged before it stalls",
    holds: http.bytesPerSecondMin < gossip.gossipBytesPerSecondMin,
  },
  {
    id: "stragglers are waited for less than for all gossip",
    holds: climbs(
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
    id: "a gossip file holds what a pipe may, and that the largest message",
    holds: climbs(gossip.gossipMessageBytesMax, gossip.gossipPipeBytesMax, gossip.gossipFileBytesMax),
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
    id: "messages are taken for longer than a false step of the chain lasts",
    holds: collect.chainSlackCycles < collect.collectCyclesBehind,
  },
  {
    id: "the cycles of the chain are cycles",
    holds: climbs(
      network.cycleSecondsMin,
      collect.chainCycleSecondsMin,
      collect.chainCycleSecondsMax,
      network.cycleSecondsMax,
    ),
  },
  {
    id: "a push holds the largest message, and one prefix leaves bodies to others",
    holds: climbs(
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

/** Every relation between bounds. */
export const relations: readonly Relation[] = [
  ...jsonRelations,
  ...responseRelations,
  ...httpRelations,
  ...syncRelations,
  ...networkRelations,
  ...gossipRelations,
  ...snapshotRelations,
  ...collectRelations,
];

requireRelations(relations);
