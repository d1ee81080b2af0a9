/** Bounds on answering validators that restart, as an archiver does. */

import { KiB, MiB } from "./units.ts";

/** What a validator reads of one response (core 2.15.8, `p2p.maxResponseSize`), and how long it waits for it. */
export const restorePageBytesMax = 15 * MiB;
export const restorePageTimeMs = 10_000;

/** The response around the accounts of a page: field names, numbers, a signature. */
export const restorePageFrameBytes = 1 * KiB;

/** Accounts of one page (archiver 3.7.7, `config.maxRecordsPerRequest`). */
export const restorePageAccountsMax = 200;

/** Validators that are served at a time (archiver 3.7.7, `config.maxValidatorsToServe`), and how long one that requests
 *  nothing keeps its place. */
export const validatorsServed = 10;
export const validatorServedMs = 10_000;

/** The body of a request: fastify's own bound in the published archiver. */
export const restoreRequestBytesMax = 1 * MiB;

/** Pages in memory, of which each may have 15 MiB, and requests that wait for their turn. */
export const restorePagesAtOnce = 8;
export const restorePagesWaitingMax = 256;

/** How long a client may take to read a page before its connection ends. It has given up earlier. */
export const restorePageSendMs = 30_000;

/** How long a response may wait for its share of the bandwidth: the client must still have time to read it. */
export const bandwidthWaitMaxMs = 5_000;

/** SQLite's cache of pages while an index is built, in KiB. */
export const indexCacheKiB = 32 * KiB;

/** Between two messages about the progress of building an index. */
export const indexProgressMs = 5_000;

/** Rows of the index that are read before others have their turn. */
export const indexRowsAtOnce = 4_096;

/** Artifacts that are open at once. */
export const openArtifactsMax = 64;

/** Global accounts in one report, of some 170 bytes each: a validator reads 15 MiB. */
export const globalAccountsReportedMax = 80_000;

/** Accounts of one request by list: its body has room for no more. */
export const listedAccountsMax = 16_384;

/** An upstream's answer about itself, and how long it may take. */
export const upstreamCycleBytesMax = 8 * MiB;
export const upstreamAnswerTimeMs = 5_000;

/** How often the upstream is asked for its mode and its nodes because a request would be refused. */
export const upstreamAskMinMs = 1_000;

/** Between two polls, if the upstream has stated no duration of its cycles, and at most. */
export const upstreamPollMs = 15_000;
export const upstreamPollMaxMs = 60_000;
export const upstreamPollMinMs = 1_000;

/** How long an answer of the upstream counts: then nobody is served until it answers again. */
export const upstreamAnswerCountsMs = 180_000;

/** A request and a response that pass through to the upstream, and how long the upstream may be silent. */
export const passedBodyBytesMax = 16 * MiB;
export const passedAnswerBytesMax = 1024 * MiB;
export const passedSilenceMs = 30_000;

/** Validators of which the log states what they received, and the silence after which it does. */
export const loggedValidatorsMax = 10_000;
export const loggedSilenceMs = 60_000;
