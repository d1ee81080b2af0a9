/** `snapshot-assemble cluster`: runs a cluster, from a fixture or live, until a signal ends it. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { commandOptions } from "../../options/command-options.ts";
import { longFlag } from "../../options/option-row.ts";
import type { RestartFlags } from "../../testnet/live/beginning.ts";
import type { LiveFlags } from "../../testnet/live/live-settings.ts";
import { printableJson } from "../../text/printable.ts";
import { formatCounted } from "../../ui/format.ts";
import { makeStyle } from "../../ui/style.ts";
import type { Io } from "../io.ts";
import type { Outcome } from "../outcome.ts";

export type ClusterCommandFlags = LiveFlags &
  Partial<RestartFlags> & {
    readonly live?: boolean;
    readonly directory?: string;
    readonly json?: boolean;
  };

export const clusterExamples = `Examples:
  $ snapshot-assemble cluster nine-honest
      starts the cluster of a fixture, whose state does not change
  $ snapshot-assemble cluster --live --nodes 9 --cycle-duration 2s --snapshot-every 5
      starts validators that run from cycle to cycle, and export their state at each fifth cycle
  $ snapshot-assemble cluster --live --fault 3:corrupt-data --fault 5:slow=500ms --fault 7:kill-at=export
      starts the same with a lying, a slow and a crashing validator
  $ snapshot-assemble cluster --live --join 9@3 --leave 2@4 --kill 5@8
      starts the same with a tenth validator from cycle 3 on; validator 2 leaves, and validator 5 dies
  $ snapshot-assemble cluster --live --nodes 12 --from snapshots --resume old-cluster
      starts twelve validators from the newest snapshot in a directory, and repeats what followed it
`;

export async function clusterHelp(): Promise<string> {
  const { faultHelp } = await import("../../testnet/faults/faults.ts");
  const { fixtureNames } = await import("../../testnet/cluster/fixture.ts");
  return `
Each validator of a live cluster is a process with its own database. Transactions move balances between
accounts and never change their total. The directory of the cluster contains the first state and every
transaction since: genesis.jsonl and transactions.jsonl. Ctrl-C ends the cluster.

Validators are numbered in ascending order of ID; those that join have higher numbers. The nodes change only
between cycles, and every cycle record states the changes.

With --from, validators begin empty. Each asks the servers of the snapshot, compares every partition with
the snapshot's digest before it uses it, and asks another server where one lies or fails. The cycles continue
those of the network before; when all validators are active, transactions are taken. A cycle of --join,
--leave or --kill then counts from the first one with transactions. Without --resume, what followed the
snapshot is lost.

Fixtures:
  ${(await fixtureNames()).join("\n  ")}

Faults, for --fault of a live cluster and for fixtures:
${faultHelp()}
`;
}

export async function runCluster(
  fixture: string | undefined,
  flags: ClusterCommandFlags,
  io: Io,
): Promise<Outcome> {
  const { live, json, ...settings } = flags;
  if (live === true) {
    if (fixture !== undefined) throw usage("both --live and a fixture are given", "Give one of the two.");
    return await runLive(settings, json === true, io);
  }
  const given = commandOptions.cluster.find(
    ({ name }) => name !== undefined && Object.hasOwn(settings, name),
  );
  if (given !== undefined) {
    throw usage(
      `${longFlag(given.flag)} is given without --live`,
      "Add --live. A fixture takes no options but --json.",
    );
  }
  if (fixture === undefined)
    throw usage("missing a fixture or --live", "Give one of the two; see snapshot-assemble cluster --help.");
  return await runFixture(fixture, json === true, io);
}

async function runFixture(fixture: string, json: boolean, io: Io): Promise<Outcome> {
  const { startCluster } = await import("../../testnet/cluster/cluster.ts");
  const { loadFixture } = await import("../../testnet/cluster/fixture.ts");
  const cluster = await startCluster(await loadFixture(fixture));
  const { stop: _stop, ...description } = cluster;
  try {
    const { archiverUrl, snapshotTimestamp, nodes } = cluster;
    reportStart(
      description,
      nodes.length,
      `--archiver ${archiverUrl} --timestamp ${snapshotTimestamp}`,
      json,
      io,
    );
    await untilAborted(io.signal);
    return { summary: description };
  } finally {
    await cluster.stop();
  }
}

async function runLive(
  {
    directory,
    from,
    fromDigest,
    fromTimestamp,
    resume,
    ...flags
  }: Omit<ClusterCommandFlags, "live" | "json">,
  json: boolean,
  io: Io,
): Promise<Outcome> {
  const restart = restartOf({ from, fromDigest, fromTimestamp, resume }, flags);
  const style = makeStyle(io.stderr.isTTY, io.env);
  const { describeLiveEvent } = await import("../live-events.ts");
  const { liveSettings } = await import("../../testnet/live/live-settings.ts");
  const { startLiveCluster } = await import("../../testnet/live/live-cluster.ts");
  const cluster = await startLiveCluster(liveSettings(flags), {
    directory,
    restart,
    signal: io.signal,
    report: (event) => {
      if (json) return void io.stdout.write(`${printableJson(event)}\n`);
      const text = describeLiveEvent(event, style);
      if (text !== undefined) io.stderr.write(`${text}\n`);
    },
  });
  const { stop: _stop, failed, ...description } = cluster;
  try {
    const { archiverUrl, nodes } = cluster;
    reportStart(description, nodes.length, `--archiver ${archiverUrl} --timestamp latest`, json, io);
    const failure = await Promise.race([untilAborted(io.signal), failed]);
    if (failure !== undefined) throw failure;
    return { summary: description };
  } finally {
    await cluster.stop();
  }
}

/** @throws SnapshotError `usage` for options that do not go together */
function restartOf(
  { from, ...flags }: Omit<RestartFlags, "from"> & { readonly from: string | undefined },
  { accounts, globalAccounts }: LiveFlags,
): RestartFlags | undefined {
  if (from === undefined) {
    if (Object.values(flags).every((flag) => flag === undefined)) return undefined;
    throw usage("--from-digest, --from-timestamp or --resume is given without --from", "Add --from.");
  }
  if (accounts === undefined && globalAccounts === undefined) return { from, ...flags };
  throw usage(
    "--accounts or --global-accounts is given with --from",
    "Leave it out: the snapshot has the accounts.",
  );
}

function reportStart(
  description: { readonly archiverUrl: string },
  nodes: number,
  options: string,
  json: boolean,
  { stdout, stderr }: Io,
): void {
  stdout.write(`${json ? printableJson({ type: "cluster", ...description }) : description.archiverUrl}\n`);
  if (json) return;
  stderr.write(
    `${formatCounted(nodes, "validator")} ${nodes === 1 ? "is" : "are"} listening; Ctrl-C ends them. Try:\n  snapshot-assemble ${options}\n`,
  );
}

function usage(problem: string, hint: string): SnapshotError {
  return new SnapshotError("usage", problem, { hint });
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
}
