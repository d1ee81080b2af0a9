/** Bounds on the collector: the cycles that it follows, pushes, signature checks, and its responses. */

import { KiB, MiB } from "./units.ts";

/** Cycles before and after the newest known one whose messages a collector takes. Validators gossip a cycle when it is
 *  over, and keep it for some more; our cycle records may be a poll behind. */
export const collectCyclesBehind = 32;
export const collectCyclesAhead = 4;

/** Cycles that an archiver's newest record may be ahead of the one before it, beyond those whose time has passed. A
 *  cycle's messages are taken for {@link collectCyclesBehind} cycles, so that a false step of this size does no harm. */
export const chainSlackCycles = 8;

/** Consecutive responses, each of which continues the one before, and the time that they must span, to change what
 *  gossip has confirmed. A collector that waits so long loses nothing: it polls for the cycles that it missed. */
export const chainResponsesMin = 3;
export const chainJumpMs = 5 * 60_000;

/** How far an archiver's clock may be ahead of ours, in seconds. */
export const chainClockSlackSeconds = 600;

/** The highest number that a cycle can have follows from these: networks of this family are younger than this, in
 *  seconds since 1970, and none of their cycles is shorter than a second or longer than a day. */
export const chainEpochSeconds = Date.UTC(2015, 0, 1) / 1000;
export const chainCycleSecondsMin = 1;
export const chainCycleSecondsMax = 86_400;

/** Cycles that a hash database can be told to keep. */
export const keepCyclesMax = 1_000_000;

/** Validators that a collector requests gossip from at once, and nodes that one poll requests for a missed cycle. */
export const gossipNodesPerRound = 8;
export const pollNodesMax = 32;

/** The body of one push, all bodies that are held until their responses are sent, and those of one address prefix. */
export const pushBodyBytesMax = 16 * MiB;
export const pushBodiesBytesMax = 64 * MiB;
export const pushBodiesBytesPerPrefixMax = 24 * MiB;

/** Rejected messages of one push, after which its rest is not read. */
export const pushRejectionsMax = 100;

/** Bytes of a pushed list that are split into messages at once. */
export const pushSliceBytes = 4 * KiB;

/** Milliseconds of work on pushes between two turns of the event loop, each of which accepts only one new
 *  connection. */
export const pushSliceMs = 5;

/** Connections to a collector, and from one address prefix. Above the bound, the prefix with the most connections
 *  loses one. */
export const collectConnectionsMax = 1_024;
export const collectConnectionsPerPrefixMax = 256;

/** Cycles that a collector sends at once, in all and to one address prefix, and the longest time that one may take. */
export const gossipResponsesMax = 64;
export const gossipResponsesPerPrefixMax = 8;
export const gossipResponseMsMax = 10 * 60_000;

/** How long a push may take to arrive whole, and how long a connection may be idle. */
export const collectRequestMs = 30_000;

/** How long pushed messages wait for others to be committed with, and how many are committed together: a commit
 *  waits for the disk, whatever its size. */
export const commitDelayMs = 5;
export const commitBatchMax = 256;
export const commitBatchBytesMax = 4 * MiB;

/** Pushed signatures that are checked at once, each on a thread of its own: a made-up signature costs next to nothing,
 *  and must not take every core. */
export const signatureChecksAtOnce = 2;

/** Signatures that wait to be checked, from one address prefix and in all: a tenth of a second's work each; and the
 *  size of the messages that wait with them. */
export const signaturesWaitingPerPrefixMax = 1_000;
export const signaturesWaitingMax = 4_000;
export const signaturesWaitingBytesPerPrefixMax = 8 * MiB;
export const signaturesWaitingBytesMax = 32 * MiB;

/** Stored messages whose signature is known to hold: those of a window of 1,000 nodes. */
export const verifiedVotesMax = 32_768;

/** How long a collector that is told to end waits for the pushes that it has started to read. */
export const collectEndMs = 5_000;
