/** Starts a static network in a process of its own, so that its work does not count. */

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { end, firstLine } from "../command.ts";

/** Whether the keys of the accounts' data are in canonical order. */
export type RecordForm = "canonical" | "unsorted";

export interface SnapshotQuery {
  readonly url: string;
  readonly body: object;
}

/** What the process prints as JSON once it listens. */
export interface StaticNetwork {
  readonly archiver: string;
  /** The requests of an assembly, which together cover all partitions. */
  readonly queries: readonly SnapshotQuery[];
  /** Of the first snapshot. */
  readonly olderTimestamp: number;
  /** Of the last snapshot: the first one, where nothing changes. */
  readonly timestamp: number;
  readonly numNodes: number;
}

export interface StaticNetworkSettings {
  readonly megabytes: number;
  readonly form: RecordForm;
  readonly nodes: number;
  /** For the files of the partitions, `wire-<partition>`. */
  readonly directory: string;
  /** The share of accounts that change after the first snapshot; 0 for one snapshot. */
  readonly changed?: number;
}

export async function startStaticNetwork(settings: StaticNetworkSettings) {
  const { megabytes, form, nodes, directory, changed = 0 } = settings;
  const entry = fileURLToPath(new URL("./static-network.js", import.meta.url));
  const args = [entry, String(megabytes), form, directory, String(nodes), String(changed)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const network: StaticNetwork = JSON.parse(await firstLine(child.stdout));
    return { network, stop: () => end(child, "SIGTERM") };
  } catch (error) {
    child.kill();
    throw error;
  }
}
