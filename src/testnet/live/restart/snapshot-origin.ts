/** Where the snapshot of a restart comes from: servers that the operator names, or a directory, which is then served. */

import { SnapshotError } from "../../../errors/snapshot-error.ts";
import { parseUrl } from "../../../options/option-texts.ts";
import type { WantedSnapshot } from "../../validator/state-sync/snapshot-sync.ts";
import { type ListedSnapshot, startServe } from "./serve-process.ts";

/** What the user gives. */
export interface OriginFlags {
  /** URLs of servers with commas between them, or the directory of one or more published snapshots. */
  readonly from: string;
  /** The digest of the snapshot; required with URLs, since servers may lie. */
  readonly fromDigest?: string | undefined;
  /** Milliseconds; only with a directory. By default, its newest snapshot is used. */
  readonly fromTimestamp?: number | undefined;
}

export interface SnapshotOrigin {
  readonly wanted: WantedSnapshot;
  close(): Promise<void>;
}

/** @throws SnapshotError `usage`, or that of `serve` */
export async function openOrigin(
  { from, fromDigest, fromTimestamp }: OriginFlags,
  host: string,
  signal: AbortSignal | undefined,
): Promise<SnapshotOrigin> {
  const servers = serversIn(from);
  if (servers === undefined) {
    const process = await startServe(from, host, signal);
    try {
      const { digest } = chosen(process.snapshots, from, { fromDigest, fromTimestamp });
      return { wanted: { servers: [process.url], digest }, close: () => process.stop() };
    } catch (error) {
      await process.stop();
      throw error;
    }
  }
  if (fromTimestamp !== undefined) {
    throw usage("--from-timestamp is given with URLs", "Give the digest of the snapshot with --from-digest.");
  }
  if (fromDigest === undefined) {
    throw usage(
      "missing --from-digest: a server may lie about a snapshot",
      "Give the digest that assemble and verify printed for the snapshot.",
    );
  }
  return { wanted: { servers, digest: fromDigest }, close: () => Promise.resolve() };
}

/** Returns the URLs; `undefined` for the path of a directory. */
function serversIn(from: string): string[] | undefined {
  const parts = from.split(",").map((part) => part.trim());
  if (!parts.some((part) => /^https?:\/\//i.test(part))) return undefined;
  return parts.map(serverIn);
}

function serverIn(part: string): string {
  let url: string;
  try {
    url = parseUrl(part);
  } catch {
    throw usage(
      "--from has a part that is not a URL",
      "An example is --from http://10.0.0.1:4000,http://10.0.0.2:4000.",
    );
  }
  const { username, password } = new URL(url);
  if (username === "" && password === "") return url;
  throw usage("--from has a URL with a user name", "Give it without: servers of snapshots ask for none.");
}

function chosen(
  snapshots: readonly ListedSnapshot[],
  directory: string,
  { fromDigest, fromTimestamp }: Omit<OriginFlags, "from">,
): ListedSnapshot {
  const fitting = snapshots
    .filter(({ digest }) => fromDigest === undefined || digest === fromDigest)
    .filter(({ timestamp }) => fromTimestamp === undefined || timestamp === fromTimestamp)
    .sort((a, b) => b.timestamp - a.timestamp);
  const [newest] = fitting;
  if (newest !== undefined) return newest;
  const wanted = [
    fromDigest && `the digest ${fromDigest}`,
    fromTimestamp && `the timestamp ${fromTimestamp}`,
  ];
  throw new SnapshotError(
    "no-such-snapshot",
    `${directory} has no snapshot with ${wanted.filter((text) => text !== undefined).join(" and ")}`,
  );
}

function usage(problem: string, hint: string): SnapshotError {
  return new SnapshotError("usage", problem, { hint });
}
