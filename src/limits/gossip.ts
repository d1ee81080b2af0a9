/** Bounds on votes, and on the requests that fetch them. */

import { GiB, KiB, MiB } from "./units.ts";

/** One vote on the wire, in the largest network. */
export const gossipMessageBytesMax = 8 * MiB;

/** The signed part of a vote: three hashes for each partition that its sender stores, and its other fields. It is kept
 *  in memory and in the evidence. */
export const gossipMessageBytesBase = 16 * KiB;
export const gossipMessageBytesPerPartition = 512;

/** Values in a message as received: three hashes for each partition that its sender stores, and as many again for
 *  fields that networks add. Small values take fifty times their size in memory, and every traversal visits them. */
export const gossipMessageValuesBase = 4_096;
export const gossipMessageValuesPerPartition = 8;

/** The longest message that is parsed, in multiples of the longest vote of its network: a node that forwards a message
 *  can lengthen it with white space and unsigned keys. */
export const gossipReceivedFactor = 4;

/** One node's whole response to a request for gossip, which is streamed: 10,000 nodes with 1,000 hashes each. In a
 *  smaller network dishonest nodes can fill it, because an honest node forwards every message with a valid signature. */
export const gossipResponseBytesMax = 1 * GiB;

/** Concurrent requests for gossip that are not stragglers: the union of this many responses soon stops growing. */
export const gossipRequestsAtOnce = 8;

/** Requests for gossip in flight, stragglers included: each has a socket, and holds one message. */
export const gossipRequestsMax = 32;

/** The time without a new vote after which a request for gossip is a straggler: a multiple of the time that other
 *  requests took, between these bounds. A request that receives new votes at the minimum rate is not a straggler. */
export const gossipHedgeMaxMs = 1_000;
export const gossipHedgeMinMs = 250;
export const gossipHedgeFactor = 2;
export const gossipBytesPerSecondMin = 256 * KiB;

/** How many times the minimum rate known votes must arrive at for their request not to be a straggler. */
export const gossipKnownBytesFactor = 8;

/** How often requests for gossip are checked for stragglers. */
export const gossipCheckMs = 50;

/** Requests for gossip to one node after temporary failures, the first included, and the pause between them. */
export const gossipAttemptsMax = 3;
export const gossipPauseMs = 1_000;

/** How long a run waits for stragglers once all other nodes have responded: the time that an honest node may be busy,
 *  and short enough that a run fails within a minute. With a quorum, where only the winner can change, less suffices: a
 *  straggler is more often down than decisive. */
export const gossipStragglersMs = 10_000;
export const gossipLateVotesMs = 3_000;

/** The time after which no further requests start: a run in a large network that is down must not take hours. */
export const gossipTimeMaxMs = 180_000;

/** How long responses in flight may continue once all hashes are agreed, so that dissenting votes are found. */
export const gossipGraceMs = 1_000;

/** Messages without a valid signature after which the rest of a response is not read: each costs as much to check as an
 *  honest one, and nothing to make. */
export const gossipUnsignedMax = 100;

/** The texts of one run's votes, and of those that contradict them: the most that the evidence file holds. */
export const gossipVotesBytesMax = 192 * MiB;
export const gossipContradictionsBytesMax = 32 * MiB;

/** A file with gossip. */
export const gossipFileBytesMax = 256 * MiB;

/** The time to fetch the votes of a mirror's evidence, from the start of the first attempt to the end of the last. */
export const evidenceTimeMaxMs = 120_000;

/** The content of a pipe with gossip, which is kept in memory because it is read twice. */
export const gossipPipeBytesMax = 64 * MiB;

/** Cycles whose gossip is queued: a node that is further behind has other problems. */
export const gossipCyclesMax = 16;

/** Queued messages of one sender for one cycle: the one that counts, and one more that proves equivocation. */
export const gossipMessagesPerSenderMax = 2;

/** All queued messages: some cycles of 1,000 nodes with 100 hashes each. */
export const gossipQueueBytesMax = 128 * MiB;
