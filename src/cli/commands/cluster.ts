/** `snapshot-assemble cluster`: a cluster, from a fixture or live, that goes on until it is ended. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { liveDefaults } from "../../testnet/live/live-defaults.ts";
import { printableJson } from "../../text/printable.ts";
import { formatCounted } from "../../ui/format.ts";
import { makeStyle } from "../../ui/style.ts";
import type { Io } from "../io.ts";
import { describeLiveEvent } from "../live-events.ts";
import type { Outcome } from "../outcome.ts";

export interface ClusterCommandFlags {
  readonly live?: boolean;
  readonly nodes?: number;
  readonly nodesPerConsensusGroup?: number;
  readonly nodesPerEdge?: number;
  /** Milliseconds. */
  readonly cycleDuration?: number;
  readonly snapshotEvery?: number;
  readonly accounts?: number;
  readonly globalAccounts?: number;
  readonly txRate?: number;
  readonly seed?: string;
  readonly fault?: readonly string[];
  readonly directory?: string;
  readonly json?: boolean;
}

export const clusterExamples = `Examples:
  $ snapshot-assemble cluster nine-honest
      a cluster that stands still, from a fixture
  $ snapshot-assemble cluster --live --nodes 9 --cycle-duration 2s --snapshot-every 5
      validators that go on from cycle to cycle, and export their state at each fifth
  $ snapshot-assemble cluster --live --fault 3:corrupt-data --fault 5:slow=500ms --fault 7:kill-at=export
      the same, three of them hostile, slow, and killed half-way
`;

const cycleDurationMaxMs = 24 * 3600 * 1000;

export async function clusterHelp(): Promise<string> {
  const { faultHelp } = await import("../../testnet/faults/faults.ts");
  const { fixtureNames } = await import("../../testnet/cluster/fixture.ts");
  return `
A live cluster's validators are processes of their own, each with a database. Its transactions move balances
between accounts, and never change their total. What it starts with, and all transactions since, are in its
directory: genesis.jsonl and transactions.jsonl. Ctrl-C ends all of it.

Fixtures:
  ${(await fixtureNames()).join("\n  ")}

Faults, which a fixture can ask for, and a live cluster with --fault:
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
    if (fixture !== undefined) throw usage("both --live and a fixture are given", "Give one of them.");
    return await runLive(settings, json === true, io);
  }
  const [option] = Object.keys(settings);
  if (option !== undefined) {
    const flag = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw usage(`${flag} is given without --live`, "Add --live; a fixture says of itself how it is.");
  }
  if (fixture === undefined)
    throw usage(
      "neither a fixture nor --live is given",
      "Give one of them; see snapshot-assemble cluster --help.",
    );
  return await runFixture(fixture, json === true, io);
}

async function runFixture(fixture: string, json: boolean, io: Io): Promise<Outcome> {
  const { startCluster } = await import("../../testnet/cluster/cluster.ts");
  const { loadFixture } = await import("../../testnet/cluster/fixture.ts");
  const cluster = await startCluster(await loadFixture(fixture));
  const { stop: _stop, ...description } = cluster;
  try {
    const { archiverUrl, snapshotTimestamp, nodes } = cluster;
    tellStart(
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
  { cycleDuration, fault, directory, ...others }: Omit<ClusterCommandFlags, "live" | "json">,
  json: boolean,
  io: Io,
): Promise<Outcome> {
  const durationMs = cycleDuration ?? liveDefaults.cycleDuration * 1000;
  if (durationMs % 1000 !== 0 || durationMs > cycleDurationMaxMs) {
    throw usage(
      `--cycle-duration of ${durationMs} ms`,
      "Cycle records count in whole seconds: give 1s or more.",
    );
  }
  const settings = { ...liveDefaults, ...others, cycleDuration: durationMs / 1000, faults: fault ?? [] };
  const style = makeStyle(io.stderr.isTTY, io.env);
  const { startLiveCluster } = await import("../../testnet/live/live-cluster.ts");
  const cluster = await startLiveCluster(settings, {
    directory,
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
    tellStart(description, nodes.length, `--archiver ${archiverUrl} --timestamp latest`, json, io);
    const failure = await Promise.race([untilAborted(io.signal), failed]);
    if (failure !== undefined) throw failure;
    return { summary: description };
  } finally {
    await cluster.stop();
  }
}

function tellStart(
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
