/** Bounds on the collector: the cycles that it follows, pushes, signature checks, and its responses. */

import { KiB, MiB } from "./units.ts";

/** Cycles before and after the newest known one whose messages a collector accepts. Validators gossip a cycle when it
 *  is over, and keep it for some more; the collector's cycle records may be one poll behind. */
export const collectCyclesBehind = 32;
export const collectCyclesAhead = 4;

/** How many cycles an archiver's newest record may advance beyond those whose time has passed. A cycle's messages are
 *  accepted for {@link collectCyclesBehind} cycles, so a false advance of this size does no harm. */
export const chainSlackCycles = 8;

/** The number of consecutive responses, each continuing the one before, and the time that they must span, to change a
 *  chain that gossip has confirmed. The wait loses nothing: the collector polls for the cycles that it missed. */
export const chainResponsesMin = 3;
export const chainJumpMs = 5 * 60_000;

/** How far an archiver's clock may be ahead of the collector's, in seconds. */
export const chainClockSlackSeconds = 600;

/** These bound the highest cycle number: every network of this family is younger than this, in seconds since 1970, and
 *  none of its cycles is shorter than a second or longer than a day. */
export const chainEpochSeconds = Date.UTC(2015, 0, 1) / 1000;
export const chainCycleSecondsMin = 1;
export const chainCycleSecondsMax = 86_400;

/** The largest number of cycles that a hash database can be set to keep. */
export const keepCyclesMax = 1_000_000;

/** Concurrent requests of a collector for gossip, and nodes that one poll queries for a missed cycle. */
export const gossipNodesPerRound = 8;
export const pollNodesMax = 32;

/** The body of one push, all bodies whose responses are not sent yet, and those of one address prefix. */
export const pushBodyBytesMax = 16 * MiB;
export const pushBodiesBytesMax = 64 * MiB;
export const pushBodiesBytesPerPrefixMax = 24 * MiB;

/** Rejected messages after which the rest of a push is not read. */
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

/** Responses with a cycle that a collector sends at once, in total and to one address prefix, and the longest time for
 *  one. */
export const gossipResponsesMax = 64;
export const gossipResponsesPerPrefixMax = 8;
export const gossipResponseMsMax = 10 * 60_000;

/** The longest time for a push to arrive, and the longest idle time of a connection. */
export const collectRequestMs = 30_000;

/** How long pushed messages wait to be committed together, and how many are committed together: every commit waits for
 *  the disk, whatever its size. */
export const commitDelayMs = 5;
export const commitBatchMax = 256;
export const commitBatchBytesMax = 4 * MiB;

/** Pushed signatures that are checked at once, each on its own thread: forged signatures are free, and their checks
 *  must not occupy every core. */
export const signatureChecksAtOnce = 2;

/** Signatures that wait to be checked, of one address prefix and in total, and the bytes of their messages. The
 *  signatures of one prefix are a tenth of a second's work. */
export const signaturesWaitingPerPrefixMax = 1_000;
export const signaturesWaitingMax = 4_000;
export const signaturesWaitingBytesPerPrefixMax = 8 * MiB;
export const signaturesWaitingBytesMax = 32 * MiB;

/** Stored messages whose signature is known to be valid: those of 1,000 nodes in the window of cycles. */
export const verifiedVotesMax = 32_768;

/** How long a collector that ends waits for pushes that it has begun to read. */
export const collectEndMs = 5_000;
