/**
 * A validator of a live cluster, in a process of its own: `node validator-process.js <settings>`. Prints its URL and its
 * reports as lines of JSON. Ends on SIGTERM, and when its stdin is closed, which happens at any end of its parent.
 */

import { argv, exit, stdin, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { messageOf, SnapshotError, type SnapshotErrorCode } from "../../errors/snapshot-error.ts";
import { networkConfigOf } from "../cluster/network-config.ts";
import type { ValidatorSetup } from "../cluster/validator-setup.ts";
import { genesisSource, type StateSource } from "../validator/state/state-source.ts";
import { type SyncReport, servedSource } from "../validator/state-sync/served-source.ts";
import { Validator, type ValidatorReport } from "../validator/validator.ts";
import type { LiveExportSettings } from "./live-export-process.ts";
import { genesisAccounts, liveNetwork, setUpNode } from "./live-network.ts";
import type { LiveSettings } from "./live-settings.ts";

/** The argument, as JSON. */
export interface ProcessSettings {
  readonly live: LiveSettings;
  /** The number of the validator. */
  readonly index: number;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly archiverUrl: string;
  readonly directory: string;
}

/** A line of stdout. */
export type ProcessLine =
  | { readonly type: "listening"; readonly url: string }
  | {
      readonly type: "error";
      readonly message: string;
      readonly code: SnapshotErrorCode | undefined;
      readonly hint: string | undefined;
    }
  | ValidatorReport
  | SyncReport;

const settings = JSON.parse(argv[2] ?? "") as ProcessSettings;
let validator: Validator | undefined;

process.once("SIGTERM", () => void end());
// A Ctrl-C of the terminal goes to the parent, which ends its validators.
process.on("SIGINT", () => undefined);
stdin
  .on("error", () => void end())
  .on("end", () => void end())
  .resume();
stdout.on("error", () => exit(0));

try {
  validator = await openValidator(settings);
  print({ type: "listening", url: await validator.listen() });
  await validator.run();
  await end();
} catch (error) {
  const {
    code,
    hint,
    details = [],
  } = error instanceof SnapshotError ? error : ({} as Partial<SnapshotError>);
  print({ type: "error", message: [messageOf(error), ...details].join("; "), code, hint });
  exit(1);
}

async function end(): Promise<void> {
  await validator?.stop();
  exit(0);
}

async function openValidator({ live, index, host, port, archiverUrl, directory }: ProcessSettings) {
  const network = liveNetwork(live);
  const setup = setUpNode(live, network, index);
  const { hooks, identity } = setup;
  return await Validator.open({
    identity,
    network: {
      archiverUrl,
      sharding: live.sharding,
      netconfig: { config: networkConfigOf({ ...live.sharding, ...live.pace }) },
    },
    listenOn: { host, port },
    directory,
    stateSource: stateSource(live, setup),
    exportEntry: exportEntry(setup),
    hooks,
    report: print,
  });
}

function stateSource(
  { restart, sharding }: LiveSettings,
  { identity, network }: ValidatorSetup,
): StateSource {
  if (restart === undefined) return genesisSource(() => genesisAccounts(network));
  return servedSource({ wanted: restart.wanted, id: identity.id, sharding, report: print });
}

function exportEntry({ lies, hooks }: ValidatorSetup) {
  const own: LiveExportSettings = { lies: [...lies], pauseMs: hooks.state.exportPauseMs };
  const path = fileURLToPath(new URL("./live-export-process.js", import.meta.url));
  return { path, arguments: [JSON.stringify(own)] };
}

function print(line: ProcessLine): void {
  stdout.write(`${JSON.stringify(line)}\n`);
}
