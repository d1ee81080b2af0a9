/** Serves published snapshots over HTTP. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { path as pathKind } from "../options/kinds.ts";
import { requireOptions } from "../options/option-check.ts";
import type { SnapshotSummary } from "../serve/reporter.ts";
import type { ServedSnapshot } from "../serve/served-snapshot.ts";
import { requireVerified } from "./restoring/verified.ts";
import { findSnapshots } from "./serving/find-snapshots.ts";
import { type ServeOptions, serveChecks } from "./serving/options.ts";
import { prepareRestoring } from "./serving/restoring-validators.ts";

export type { ServeOptions };

export interface ServeResult {
  readonly snapshots: readonly (SnapshotSummary & {
    /** Why it is no longer served; null if it is. */
    readonly problem: string | null;
  })[];
}

/**
 * Verifies published snapshots, and serves them until `options.signal` is aborted. A snapshot whose files
 * change on the disk is no longer served.
 *
 * @param directories snapshots, or directories of published snapshots; those published later are not served
 * @throws SnapshotError `no-such-snapshot`, or the code of the most severe finding of the verification; `configuration`
 *   if the server cannot listen there, `disk`, `usage`
 */
export async function serve(directories: readonly string[], options: ServeOptions): Promise<ServeResult> {
  requireOptions("serve", options, serveChecks);
  requireDirectories(directories);
  const { signal, listen, keyFile, reporter } = options;
  const served: ServedSnapshot[] = [];
  try {
    const { readSigningKey } = await import("./serving/read-key.ts");
    const key = await readSigningKey(keyFile, signal);
    served.push(...(await verifyAll(await findSnapshots(directories), options)));
    // Other uses of this program do not load the server.
    const { openServer } = await import("./serving/open-server.ts");
    const restoring = await prepareRestoring(served, key, options);
    const server = openServer({ served, key, restoring, reporter });
    try {
      reporter?.report({ type: "key", publicKey: key.publicKey, isFresh: keyFile === undefined });
      reporter?.report({ type: "listening", url: await server.listen(listen) });
      await aborted(signal);
    } finally {
      await server.close();
      await restoring.close();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return { snapshots: served.map(({ summary, problem }) => ({ ...summary, problem: problem ?? null })) };
}

function requireDirectories(directories: readonly string[]): void {
  const isRight = Array.isArray(directories) && directories.length > 0 && directories.every(pathKind.accepts);
  if (isRight) return;
  throw new SnapshotError(
    "usage",
    `serve(): invalid directories: expected a list, each ${pathKind.expected}`,
  );
}

async function verifyAll(directories: readonly string[], options: ServeOptions): Promise<ServedSnapshot[]> {
  const { reporter } = options;
  const { identitiesIn } = await import("../serve/file-identity.ts");
  const { loadSnapshot } = await import("../serve/load-snapshot.ts");
  const snapshots = new Map<string, ServedSnapshot>();
  for (const directory of directories) {
    reporter?.report({ type: "verifying", directory });
    const before = await identitiesIn(directory).catch(() => new Map());
    const { digest } = await requireVerified(directory, options, "serve");
    const snapshot = await loadSnapshot(directory, digest, before);
    const other = snapshots.get(snapshot.name);
    if (other !== undefined) throw sameTimestamp(other, snapshot);
    snapshots.set(snapshot.name, snapshot);
    reporter?.report({ type: "snapshot", ...snapshot.summary });
  }
  return [...snapshots.values()];
}

function sameTimestamp({ facts: one }: ServedSnapshot, { facts: other }: ServedSnapshot): SnapshotError {
  return new SnapshotError(
    "usage",
    `${one.directory} and ${other.directory} are both snapshots of ${one.timestamp}`,
    { hint: "Serve one of them." },
  );
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
