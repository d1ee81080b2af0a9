/** Bounds of the test network: its validators, its archiver and its clusters. */

import { gossipMessageBytesMax } from "../limits/gossip.ts";
import { type Relation, requireRelations } from "../limits/relations/relation.ts";
import { KiB, MiB } from "../limits/units.ts";

/** How long a validator's commits may wait for an export to start, and how long an export may take. An export that is
 *  abandoned leaves nothing behind, and the next marked cycle tries again. */
export const exportStartMaxMs = 10_000;
export const exportTimeMaxMs = 30 * 60_000;

/** The cycles before and after its own of which a validator receives and keeps gossip: an assembler requests that of the
 *  newest few marked cycles. Above the number of bytes, the oldest cycles are dropped. */
export const gossipCyclesBehind = 128;
export const gossipCyclesAhead = 4;
export const gossipKeptBytesMax = 256 * MiB;

/** One push between validators: the number of its messages, their bytes together, and the bytes of the whole push, which
 *  permit one larger message. */
export const gossipMessagesPerPushMax = 64;
export const gossipBatchBytesMax = 1 * MiB;
export const gossipPushBytesMax = 8 * MiB;

/** The queue for a validator that does not respond, the time for a response, and the attempts with their pause. */
export const outboxMessagesMax = 1_024;
export const outboxBytesMax = 16 * MiB;
export const gossipPushTimeoutMs = 3_000;
export const gossipPushAttemptsMax = 3;
export const gossipPushPauseMs = 250;

/** The connections to a server of a cluster, the time for a request to arrive completely, and the memory of all request
 *  bodies. */
export const serverConnectionsMax = 1_024;
export const serverConnectionsPerPrefixMax = 512;
export const serverRequestMs = 10_000;
export const serverBodiesBytesMax = 64 * MiB;
export const serverBodiesBytesPerPrefixMax = 32 * MiB;

/** How long a response may wait for a client that reads slower than `bytesPerSecondMin`. */
export const responseStallMs = 30_000;

/** The body of `POST /snapshot`, which has five short fields. */
export const snapshotRequestBytesMax = 4 * KiB;

/** State metadata that validators send to the archiver: a hash for each partition, and space for the rest. */
export const stateMetadataBytesMax = 8 * MiB;

/** The cycles that a validator hashes concurrently. A validator that reaches it is too slow for its network, and the next
 *  cycle waits. */
export const hashedCyclesMax = 2;

/** The cycles after which a validator settles a cycle with the votes so far. */
export const agreementCyclesMax = 3;

/** The newest exports that a validator keeps: an assembler can finish one after the next has been published. */
export const exportsKept = 3;

/** Cycles whose hashes a validator's database keeps. */
export const hashedCyclesKept = 10_000;

/** The partial snapshots that a validator sends concurrently, in all and to one address. */
export const snapshotResponsesMax = 64;
export const snapshotResponsesPerAddressMax = 32;

/** An entry of the transaction log: the longest has two addresses and an amount. */
export const logEntryBytesMax = 1 * KiB;

/** The body of `POST /cycleinfo`, which has a few short fields. */
export const cycleRequestBytesMax = 4 * KiB;

/** A cycle record in the file of a cluster: it may state every node. */
export const cycleRecordBytesMax = 16 * MiB;

/** The entries of the transaction log that are added together after a pause. */
export const logEntriesAtOnceMax = 10_000;

/** How long the transaction log may be silent, and the pause before it is requested again. */
export const logSilenceMaxMs = 60_000;
export const logPauseMs = 250;

/** A server of snapshots from which a validator starts: how long it may be silent, and the bytes a second that it must
 *  send on average; the times that it may fail, and the pause before it is asked again, which doubles. */
export const serverSilenceMs = 10_000;
export const serverBytesPerSecondMin = 16 * KiB;
export const serverFailuresMax = 3;
export const serverPauseMs = 500;

/** An answer to `GET /snapshot-cycles` or `GET /snapshots`: a hash for each partition, and some cycle records. */
export const snapshotCyclesBytesMax = 24 * MiB;

/** The copies of one partition, which are held until its hash is known. */
export const syncPartitionBytesMax = 256 * MiB;

/** How long an archiver may take to respond to a validator, and the pause before it is requested again. */
export const archiverTimeoutMs = 5_000;
export const archiverPauseMs = 250;

export const testnetRelations: readonly Relation[] = [
  { id: "an export starts within its time", holds: exportStartMaxMs < exportTimeMaxMs },
  { id: "a push holds the largest message", holds: gossipMessageBytesMax <= gossipPushBytesMax },
  { id: "a push holds a batch", holds: gossipBatchBytesMax <= gossipPushBytesMax },
  { id: "an outbox holds the largest push", holds: gossipPushBytesMax <= outboxBytesMax },
  { id: "an outbox holds the messages of a push", holds: gossipMessagesPerPushMax <= outboxMessagesMax },
  {
    id: "a server holds the largest push of a prefix",
    holds: gossipPushBytesMax <= serverBodiesBytesPerPrefixMax,
  },
  {
    id: "one prefix leaves request bodies of a validator to others",
    holds: serverBodiesBytesPerPrefixMax < serverBodiesBytesMax,
  },
  {
    id: "one prefix leaves connections of a validator to others",
    holds: serverConnectionsPerPrefixMax < serverConnectionsMax,
  },
  {
    id: "one address leaves responses of a validator to others",
    holds: snapshotResponsesPerAddressMax < snapshotResponsesMax,
  },
  { id: "gossip is kept until its cycle is agreed", holds: agreementCyclesMax < gossipCyclesBehind },
  { id: "hashes are kept longer than gossip", holds: gossipCyclesBehind < hashedCyclesKept },
  {
    id: "the transaction log is requested again before it counts as silent",
    holds: logPauseMs < logSilenceMaxMs,
  },
];

requireRelations(testnetRelations);
