/** Relations between the bounds on transfers: JSON, responses, HTTP, and the scheduler. */

import * as disk from "../disk.ts";
import * as http from "../http.ts";
import * as server from "../http-server.ts";
import * as json from "../json.ts";
import * as network from "../network.ts";
import * as response from "../response.ts";
import * as snapshot from "../snapshot.ts";
import * as sync from "../sync.ts";
import * as text from "../text.ts";
import { strictlyAscends } from "./order.ts";
import type { Relation } from "./relation.ts";

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
    id: "a finding can contain quotations, and a line a finding",
    holds: strictlyAscends(text.quotedCharactersMax, snapshot.findingCharactersMax, text.lineCharactersMax),
  },
];

const responseRelations: readonly Relation[] = [
  {
    id: "white space is shorter than a held record, which is shorter than a record",
    holds: strictlyAscends(response.whiteSpaceRunMax, response.heldRecordBytesMax, response.recordBytesMax),
  },
  {
    id: "pending writes are smaller than the unconfirmed bytes of a response",
    holds: strictlyAscends(disk.writeBufferBytes, disk.pendingBytesMax, sync.unconfirmedBytesFirst),
  },
  {
    id: "a response may hold one record before a hash confirms it",
    holds: response.recordBytesMax < sync.unconfirmedBytesFirst,
  },
  {
    id: "unconfirmed bytes grow towards the largest partition",
    holds: strictlyAscends(
      sync.unconfirmedBytesFirst,
      sync.responseBytesPerPartition,
      sync.partitionBytesMax,
    ),
  },
  {
    id: "unconfirmed bytes grow at each step",
    holds: strictlyAscends(1, sync.unconfirmedPerConfirmed, sync.unconfirmedFactor),
  },
  {
    id: "responses leave free disk to other programs",
    holds: strictlyAscends(0, sync.unconfirmedDiskShare, sync.unconfirmedDiskShareLast, 1),
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
    holds: strictlyAscends(http.backoffFirstMs, http.backoffLastMs, http.retryAfterMaxMs),
  },
  {
    id: "a server's parser receives less at once than the headers of a request",
    holds: server.parsedBytesAtOnce <= server.requestHeaderBytesMax,
  },
  {
    id: "one address prefix can fill a pipeline",
    holds: server.pipelinedRequestsMax < server.waitingRequestsPerPrefixMax,
  },
];

const syncRelations: readonly Relation[] = [
  {
    id: "checks for stragglers are more frequent than stragglers",
    holds: strictlyAscends(sync.stragglerCheckMs, sync.stragglerAfterMs, sync.stragglerUnmeasuredMs),
  },
  {
    id: "pauses between checks for stragglers stay below the time of an unmeasured straggler",
    holds: strictlyAscends(sync.stragglerCheckMs, sync.stragglerCheckMaxMs, sync.stragglerUnmeasuredMs),
  },
  {
    id: "a response becomes a straggler before it stalls",
    holds: http.bytesPerSecondMin < sync.unmeasuredBytesPerSecond,
  },
  {
    id: "a partition of a straggler can be hedged",
    holds: sync.queriesPerPartitionMax >= 2 && sync.hedgesMax >= 1,
  },
  { id: "hedged requests leave connections to other requests", holds: sync.hedgesMax < sync.concurrencyMax },
  {
    id: "the weight of the newest response is a share",
    holds: sync.speedSmoothing > 0 && sync.speedSmoothing < 1,
  },
];

export const transferRelations: readonly Relation[] = [
  ...jsonRelations,
  ...responseRelations,
  ...httpRelations,
  ...syncRelations,
];
