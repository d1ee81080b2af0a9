/** Bounds on votes, and on the requests that fetch them. */

import { GiB, KiB, MiB } from "./units.ts";

/** One vote on the wire, in the largest network. */
export const gossipMessageBytesMax = 8 * MiB;

/** The signed part of a vote: three hashes for each partition that its sender stores, and room for the rest. It is
 *  kept in memory, and as evidence. */
export const gossipMessageBytesBase = 16 * KiB;
export const gossipMessageBytesPerPartition = 512;

/** Values in a message as received: three hashes for each partition that its sender stores, and as many for other
 *  fields of a network. Small values take fifty times their size in memory, and time in every walk. */
export const gossipMessageValuesBase = 4_096;
export const gossipMessageValuesPerPartition = 8;

/** The length of a message as received, in multiples of the longest vote of its network; a longer message is not
 *  parsed. A node that forwards a message can lengthen it with white space and with unsigned keys. */
export const gossipReceivedFactor = 4;

/** One node's whole response to a request for gossip, which is streamed: 10,000 nodes of 1,000 hashes. In a smaller
 *  network liars can fill it, because an honest node forwards every message with a valid signature. */
export const gossipResponseBytesMax = 1 * GiB;

/** Requests for gossip that hold a place at once: the union of so many responses soon stops growing. */
export const gossipRequestsAtOnce = 8;

/** Requests for gossip in flight, stragglers included: each has a socket, and holds one message. */
export const gossipRequestsMax = 32;

/** How long a request for gossip holds its place without a new vote, at most and at least. In between it is a multiple
 *  of the time that others took. A request that brings votes at the rate that starts no hedged request holds its place
 *  while it does. */
export const gossipHedgeMaxMs = 1_000;
export const gossipHedgeMinMs = 250;
export const gossipHedgeFactor = 2;
export const gossipBytesPerSecondMin = 256 * KiB;

/** How many times as fast known votes must arrive for a request to hold its place. */
export const gossipKnownBytesFactor = 8;

/** How often requests for gossip are checked for stragglers. */
export const gossipCheckMs = 50;

/** Requests for gossip to one node whose earlier requests failed temporarily, and the pause between them. */
export const gossipAttemptsMax = 3;
export const gossipPauseMs = 1_000;

/** Once all other nodes have responded, how long stragglers are waited for: as long as an honest node may be busy, and
 *  short enough for a run that must fail to do so within a minute. Where there is a quorum and only the winner can
 *  change, less suffices: a straggler is more often down than decisive. */
export const gossipStragglersMs = 10_000;
export const gossipLateVotesMs = 3_000;

/** No further node is requested after this time: a large network that is down must not take hours. */
export const gossipTimeMaxMs = 180_000;

/** Once all hashes are agreed, how long responses in flight may go on, to find who dissents. */
export const gossipGraceMs = 1_000;

/** Messages of one response without a valid signature, after which its rest is not read: each costs as much as an
 *  honest one, and is made up for nothing. */
export const gossipUnsignedMax = 100;

/** The votes of one run, and those that contradict them, as texts: the evidence file has no room for more. */
export const gossipVotesBytesMax = 192 * MiB;
export const gossipContradictionsBytesMax = 32 * MiB;

/** A gossip file. */
export const gossipFileBytesMax = 256 * MiB;

/** The part of a gossip pipe that is kept in memory for a second reading. */
export const gossipPipeBytesMax = 64 * MiB;

/** Cycles whose gossip waits for their turn: a node that is further behind has other problems. */
export const gossipCyclesMax = 16;

/** Messages of one sender that wait for one cycle: the one that counts, and one more that proves equivocation. */
export const gossipMessagesPerSenderMax = 2;

/** All messages that wait: some cycles of 1,000 nodes with 100 hashes each. */
export const gossipQueueBytesMax = 128 * MiB;
