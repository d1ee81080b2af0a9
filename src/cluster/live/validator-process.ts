/**
 * A validator of a live cluster, in a process of its own: `node validator-process.js <settings>`. It says on
 * stdout, in lines of JSON, where it listens and what it has to report. It ends on SIGTERM, and when its stdin is
 * closed, which is what happens when whoever started it goes away, however it goes.
 */

import { argv, exit, stdin, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../model/failure.ts";
import { GLOBAL_PARTITION, storedPartitions } from "../../model/shard.ts";
import { Validator, type ValidatorReport } from "../../validator/validator.ts";
import { applyFault } from "../faults.ts";
import type { ClusterNetwork } from "../network.ts";
import { honestSetup, type NodeSetup } from "../node-setup.ts";
import { lyingAbout } from "./lies.ts";
import type { LiveExportSettings } from "./live-export-process.ts";
import { faultsOf, type LiveSettings, liveNetwork } from "./live-settings.ts";

/** What it is started with, as JSON. */
export interface ProcessSettings {
  readonly live: LiveSettings;
  readonly index: number;
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly archiverUrl: string;
  readonly directory: string;
}

/** What it says. */
export type ProcessLine =
  | { readonly type: "listening"; readonly url: string }
  | { readonly type: "error"; readonly message: string }
  | ValidatorReport;

const settings = JSON.parse(argv[2] ?? "") as ProcessSettings;
let validator: Validator | undefined;

process.once("SIGTERM", () => void end());
// The terminal's Ctrl-C is for whoever started us.
process.on("SIGINT", () => undefined);
stdin
  .on("error", () => void end())
  .on("end", () => void end())
  .resume();
stdout.on("error", () => exit(0));

try {
  validator = await openValidator(settings);
  say({ type: "listening", url: await validator.listen() });
  await validator.run();
} catch (error) {
  say({ type: "error", message: messageOf(error) });
  exit(1);
}

async function end(): Promise<void> {
  await validator?.stop();
  exit(0);
}

async function openValidator({ live, index, host, port, archiverUrl, directory }: ProcessSettings) {
  const network = liveNetwork(live);
  const setup = honestSetup(network, index, storedPartitions(network.shard, index));
  for (const fault of faultsOf(live)) applyFault(fault, setup);
  const { conduct, identity, stored, lies } = setup;
  conduct.beliefs.push(...lyingAbout([...lies]));
  const { nodesPerConsensusGroup, nodesPerEdge, cycleDuration } = live;
  return await Validator.open({
    identity,
    index,
    shard: network.shard,
    directory,
    host,
    port,
    archiverUrl,
    netconfig: { config: { cycleDuration, sharding: { nodesPerConsensusGroup, nodesPerEdge } } },
    genesis: () => genesisOf(network, stored),
    exportEntry: exportEntry(setup),
    conduct,
    report: say,
  });
}

function* genesisOf({ state }: ClusterNetwork, stored: readonly number[]) {
  for (const partition of [GLOBAL_PARTITION, ...stored]) yield* state.accounts(partition);
}

function exportEntry({ lies, conduct }: NodeSetup) {
  const own: LiveExportSettings = { lies: [...lies], pauseMs: conduct.exportPauseMs };
  const path = fileURLToPath(new URL("./live-export-process.js", import.meta.url));
  return { path, arguments: [JSON.stringify(own)] };
}

function say(line: ProcessLine): void {
  stdout.write(`${JSON.stringify(line)}\n`);
}
