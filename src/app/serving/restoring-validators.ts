/** Prepares what restarting validators get: the index of the chosen snapshot, and the archiver behind the server. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { indexProgressMs } from "../../limits/serve-archiver.ts";
import type { ServedSnapshot } from "../../serve/served-snapshot.ts";
import type { SigningKey } from "../../serve/signing-key.ts";
import type { SnapshotServer } from "../../serve/snapshot-server.ts";
import type { RestoreRoutesOptions, ServeOptions } from "./options.ts";

/** The value of --restore-from for the archiver's own accounts. */
const noSnapshot = "none";

export interface RestoringValidators {
  register(server: SnapshotServer): void;
  close(): Promise<void>;
}

/**
 * Returns the snapshot whose accounts restarting validators get; `undefined` if they get none of this server.
 *
 * @throws SnapshotError `usage` if none is named, or options are given that have no effect
 */
export function chooseSnapshot(
  snapshots: readonly ServedSnapshot[],
  options: RestoreRoutesOptions,
): ServedSnapshot | undefined {
  const { upstream, restoreFrom } = options;
  requireUpstreamFor(options);
  if (upstream === undefined || restoreFrom === noSnapshot) return undefined;
  const [first, ...others] = snapshots;
  if (restoreFrom === undefined && others.length === 0) return first;
  const chosen = snapshots.find(({ name }) => name === restoreFrom);
  if (chosen !== undefined) return chosen;
  const names = [...snapshots.map(({ name }) => name), noSnapshot].join(", ");
  throw new SnapshotError(
    "usage",
    restoreFrom === undefined
      ? "several snapshots are served, and --restore-from does not say whose accounts restarting validators get"
      : `--restore-from names ${restoreFrom}, which is not served`,
    { hint: `Give one of ${names}. All archivers of a network must restore the same snapshot.` },
  );
}

function requireUpstreamFor({ upstream, ...others }: RestoreRoutesOptions): void {
  if (upstream !== undefined) return;
  const flags = {
    "--restore-from": others.restoreFrom,
    "--index-dir": others.indexDir,
    "--bwlimit": others.bwlimit,
  };
  const [given] = Object.entries(flags).find(([, value]) => value !== undefined) ?? [];
  if (given === undefined) return;
  throw new SnapshotError("usage", `${given} needs --upstream`, {
    hint: "Give the URL of the archiver that this server stands in front of.",
  });
}

/**
 * Builds the index if there is none, and asks the archiver for the mode and the nodes of the network.
 *
 * @throws SnapshotError `unrestorable` if validators could not receive an account; `in-use` if another process builds the
 *   index; `disk`
 */
export async function prepareRestoring(
  snapshots: readonly ServedSnapshot[],
  key: SigningKey,
  options: ServeOptions,
): Promise<RestoringValidators> {
  const { upstream, reporter, signal } = options;
  const snapshot = chooseSnapshot(snapshots, options);
  if (upstream === undefined) return await withoutUpstream(options);
  const warn = (message: string) => reporter?.report({ type: "warning", message });
  const { passThrough } = await import("../../serve/upstream/pass-through.ts");
  if (snapshot === undefined) {
    reporter?.report({ type: "restoring", name: null, mode: null });
    return {
      register: (server) => server.register(passThrough, { upstream }),
      close: () => Promise.resolve(),
    };
  }
  const { ensureIndex } = await import("../../serve/index/ensure-index.ts");
  const { RestoreService, indexedSnapshot } = await import("../../serve/archiver/restore-service.ts");
  const { UpstreamNetwork } = await import("../../serve/upstream/network-state.ts");
  const place = { directory: snapshot.facts.directory, indexDirectory: options.indexDir };
  const index = await ensureIndex(place, indexedSnapshot(snapshot), {
    onBuild: (path, reason) => reporter?.report({ type: "indexing", path, reason }),
    onProgress: nowAndThen((accounts) => reporter?.report({ type: "indexed", accounts })),
    signal,
  });
  const network = new UpstreamNetwork(upstream, warn);
  const service = new RestoreService({
    ...{ snapshot, index, network, key, warn },
    maxValidators: options.maxValidators,
    bytesPerSecond: options.bwlimit,
    log: (message) => reporter?.report({ type: "served", message }),
  });
  const close = async () => {
    await network.close();
    await service.close();
  };
  try {
    requirePast(service.newest);
    await network.start();
  } catch (error) {
    await close();
    throw error;
  }
  reporter?.report({ type: "restoring", name: snapshot.name, mode: network.mode ?? null });
  const register = (server: SnapshotServer) => {
    service.register(server);
    server.register(passThrough, { upstream });
  };
  return { register, close };
}

/** Calls a function only if it was not called a moment ago. */
function nowAndThen(report: (accounts: number) => void): (accounts: number) => void {
  let nextMs = performance.now() + indexProgressMs;
  return (accounts) => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + indexProgressMs;
    report(accounts);
  };
}

async function withoutUpstream({ reporter }: ServeOptions): Promise<RestoringValidators> {
  const { withoutArchiver } = await import("../../serve/archiver/without-archiver.ts");
  reporter?.report({ type: "restoring", name: null, mode: null });
  return { register: (server) => server.register(withoutArchiver, {}), close: () => Promise.resolve() };
}

/** A validator requests no account that is newer than now. */
function requirePast(newestMs: number): void {
  if (newestMs <= Date.now()) return;
  throw new SnapshotError(
    "unrestorable",
    `restarting validators would not receive an account: its timestamp ${newestMs} is in the future`,
    { hint: "Check the clock of this machine, or find out which application wrote the account." },
  );
}
