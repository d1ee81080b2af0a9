/** `snapshot-assemble cluster <fixture>`: a fixture cluster that goes on until it is ended. */

import { startCluster } from "../cluster/cluster.ts";
import { faultHelp } from "../cluster/faults.ts";
import { fixtureNames, loadFixture } from "../cluster/fixture.ts";
import type { Io } from "./io.ts";
import type { Outcome } from "./outcome.ts";

export const clusterExamples = `Examples:
  $ snapshot-assemble cluster nine-honest
  $ snapshot-assemble cluster --json ./my-fixture.json
`;

export async function clusterHelp(): Promise<string> {
  return `
Fixtures:
  ${(await fixtureNames()).join("\n  ")}

Faults that a fixture can ask for:
${faultHelp()}
`;
}

export async function runCluster(fixture: string, json: boolean, io: Io): Promise<Outcome> {
  const cluster = await startCluster(await loadFixture(fixture));
  const { stop: _stop, ...description } = cluster;
  try {
    const line = json ? JSON.stringify({ type: "cluster", ...description }) : cluster.archiverUrl;
    io.stdout.write(`${line}\n`);
    const command = `snapshot-assemble --archiver ${cluster.archiverUrl} --timestamp ${cluster.snapshotTimestamp}`;
    if (!json)
      io.stderr.write(
        `${cluster.nodes.length} validators are listening; Ctrl-C ends them. Try:\n  ${command}\n`,
      );
    await untilAborted(io.signal);
    return { summary: description };
  } finally {
    await cluster.stop();
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
