/** Bounds on a server of snapshots. */

import { KiB, MiB } from "./units.ts";

/** Connections to the server, and from one address prefix. Above the bound, the prefix with the most connections loses
 *  one. Each is at most one response: some hundred kilobytes of buffers and one open file. */
export const serveConnectionsMax = 1_024;
export const serveConnectionsPerPrefixMax = 256;

/** The longest time for a request to arrive, and the longest time without traffic on a connection. */
export const serveRequestMs = 30_000;

/** The body of one request: a list of some thousand account IDs. Archivers take as much. */
export const serveBodyBytesMax = 1 * MiB;

/** All bodies that are held at once, and those of one address prefix. */
export const serveBodiesBytesMax = 64 * MiB;
export const serveBodiesBytesPerPrefixMax = 16 * MiB;

/** A `POST /snapshot` names a few fields. */
export const serveSnapshotRequestBytesMax = 4 * KiB;

/** The longest name in a path: those of a snapshot's files have at most 200 characters. */
export const servePathParameterMax = 256;

/** Responses with accounts that are sent at once, in total and to one address prefix: each reads a file and converts its
 *  accounts. The validators of a restarting network ask at the same moment, and many of them may share a prefix. */
export const serveStateResponsesMax = 128;
export const serveStateResponsesPerPrefixMax = 64;

/** How often a client's progress is measured. A client that reads more slowly than `bytesPerSecondMin` over this time is
 *  disconnected. */
export const serveSlowMs = 30_000;

/** Seconds after which a client may ask again for what is refused for the moment. */
export const serveRetryAfterSeconds = 5;

/** How often the files are compared with those that were verified. Each request compares those that it reads. */
export const serveCheckMs = 10_000;

/** The shortest time between two comparisons that requests ask for: each examines every file. */
export const serveCheckPauseMs = 1_000;

/** How long a server that ends waits for the responses that it sends. */
export const serveEndMs = 10_000;

/** Memory into which one read of a file goes. */
export const serveReadBytes = 256 * KiB;

/** Snapshots that one server serves. */
export const servedSnapshotsMax = 1_000;

/** Cycle records in one answer. A validator needs that of the snapshot's cycle and the next one. */
export const serveCycleRecordsMax = 16;

/** The file of the server's key. */
export const keyFileBytesMax = 4 * KiB;

/** Memory into which one read of a file goes that is sent as it is. */
export const serveFileReadBytes = 512 * KiB;

/** How long `GET /healthz` waits for the files that are being hashed again. */
export const serveHealthWaitMs = 1_000;
