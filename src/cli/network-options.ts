/** Maps the flags of a command to the options of its network. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import { networkTable } from "../options/network-table.ts";
import { OptionValueError, parseKey } from "../options/option-texts.ts";
import type { NetworkOptions } from "../trust/network-options.ts";
import type { Io } from "./io.ts";

export interface NetworkFlags {
  readonly archiver?: string;
  readonly archiverKey?: string;
  readonly nodes?: string;
  readonly cycles?: string;
  readonly hashKey?: string;
  readonly nodesPerConsensusGroup?: number;
  readonly nodesPerEdge?: number;
  readonly allowPrivate?: boolean;
  readonly connectTimeout?: number;
  readonly stallTimeout?: number;
}

/** @param needsCycles whether the command reads cycle records, not only the node list */
export function networkOptionsOf(flags: NetworkFlags, needsCycles: boolean, env: Io["env"]): NetworkOptions {
  const { connectTimeout, stallTimeout, archiver, archiverKey, nodes, cycles, allowPrivate } = flags;
  const { nodesPerConsensusGroup, nodesPerEdge } = flags;
  const same = { archiver, archiverKey, nodes, cycles, allowPrivate, nodesPerConsensusGroup, nodesPerEdge };
  const hashKey = flags.hashKey ?? hashKeyOf(env);
  const isGiven = flags.nodes !== undefined && (flags.cycles !== undefined || !needsCycles);
  if (flags.archiver === undefined && !isGiven) {
    throw new SnapshotError("usage", "missing the network to read from", {
      hint: `Give --archiver <url>, or ${needsCycles ? "both --nodes <file> and --cycles <file>" : "--nodes <file>"}.`,
    });
  }
  return { ...same, hashKey, connectTimeoutMs: connectTimeout, stallTimeoutMs: stallTimeout };
}

/** An empty variable counts as unset. */
function hashKeyOf(env: Io["env"]): string | undefined {
  const name = networkTable.hashKey.env;
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  try {
    return parseKey(text);
  } catch (error) {
    if (!(error instanceof OptionValueError)) throw error;
    throw new SnapshotError("usage", `${name}: ${error.message}`, {
      hint: "Correct the environment variable, or unset it.",
    });
  }
}
