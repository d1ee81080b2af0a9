/**
 * A validator of a live cluster, in a process of its own: `node validator-process.js <settings>`. It says on
 * stdout, in lines of JSON, where it listens and what it has to report. It ends on SIGTERM, and when its stdin is
 * closed, which is what happens when whoever started it goes away, however it goes.
 */

import { argv, exit, stdin, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { messageOf, SnapshotError, type SnapshotErrorCode } from "../../errors/snapshot-error.ts";
import { GLOBAL_PARTITION } from "../../protocol/shard.ts";
import type { ClusterNetwork } from "../cluster/network.ts";
import { networkConfigOf } from "../cluster/network-config.ts";
import type { NodeSetup } from "../cluster/node-setup.ts";
import { Validator, type ValidatorReport } from "../validator/validator.ts";
import type { LiveSettings } from "./live-defaults.ts";
import type { LiveExportSettings } from "./live-export-process.ts";
import { liveNetwork, setUpNode } from "./live-settings.ts";

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
  | {
      readonly type: "error";
      readonly message: string;
      readonly code: SnapshotErrorCode | undefined;
      readonly hint: string | undefined;
    }
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
  const { code, hint } = error instanceof SnapshotError ? error : { code: undefined, hint: undefined };
  say({ type: "error", message: messageOf(error), code, hint });
  exit(1);
}

async function end(): Promise<void> {
  await validator?.stop();
  exit(0);
}

async function openValidator({ live, index, host, port, archiverUrl, directory }: ProcessSettings) {
  const network = liveNetwork(live);
  const setup = setUpNode(live, network, index);
  const { conduct, identity, stored } = setup;
  return await Validator.open({
    identity,
    index,
    shard: network.shard,
    directory,
    host,
    port,
    archiverUrl,
    netconfig: { config: networkConfigOf(live) },
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
