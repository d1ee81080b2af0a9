/** Options that say which network is meant, and the settings that they come to. */

import { type Command, Option } from "commander";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { nodesMax } from "../limits/limits.ts";
import type { NetworkOptions } from "../trust/network-options.ts";
import type { Io } from "./io.ts";
import { durationHelp, parseCount, parseDuration, parseKey, parseUrl } from "./values.ts";

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

export function addNetworkOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--archiver <url>", "read the node list and cycle records from this archiver").argParser(
        parseUrl("--archiver"),
      ),
    )
    .addOption(
      new Option(
        "--archiver-key <hex>",
        "the public key that the archiver's answers must be signed with",
      ).argParser(parseKey),
    )
    .option("--nodes <file>", "read the node list from a file")
    .option("--cycles <file>", "read the cycle records from a file")
    .addOption(
      new Option("--hash-key <hex>", "the network's hash key (env: ARCHIVER_HASH_KEY)").argParser(parseKey),
    )
    .addOption(
      new Option(
        "--nodes-per-consensus-group <n>",
        "nodes that vote on a partition (default: what a /netconfig response proves, or all of a sample state)",
      ).argParser(parseCount(1, nodesMax)),
    )
    .addOption(
      new Option(
        "--nodes-per-edge <n>",
        "nodes on each side of those that store it too (default: as above)",
      ).argParser(parseCount(0, nodesMax)),
    )
    .option(
      "--allow-private",
      "ask validators at loopback and private addresses also where the archiver's own address is public",
    )
    .addOption(
      new Option(
        "--connect-timeout <duration>",
        `give up connecting after this (default: 10s; ${durationHelp})`,
      ).argParser(parseDuration),
    )
    .addOption(
      new Option(
        "--stall-timeout <duration>",
        "give up an answer that brings nothing for so long (default: 30s)",
      ).argParser(parseDuration),
    );
}

/** @param needsCycles whether the node list alone would not do */
export function networkOptionsOf(flags: NetworkFlags, needsCycles: boolean, env: Io["env"]): NetworkOptions {
  const { connectTimeout, stallTimeout, archiver, archiverKey, nodes, cycles, allowPrivate } = flags;
  const { nodesPerConsensusGroup, nodesPerEdge } = flags;
  const same = { archiver, archiverKey, nodes, cycles, allowPrivate, nodesPerConsensusGroup, nodesPerEdge };
  const hashKey = flags.hashKey ?? hashKeyOf(env);
  const isGiven = flags.nodes !== undefined && (flags.cycles !== undefined || !needsCycles);
  if (flags.archiver === undefined && !isGiven) {
    throw new SnapshotError("usage", "no network is chosen", {
      hint: `Give --archiver <url>, or ${needsCycles ? "both --nodes <file> and --cycles <file>" : "--nodes <file>"}.`,
    });
  }
  return { ...same, hashKey, connectTimeoutMs: connectTimeout, stallTimeoutMs: stallTimeout };
}

/** An empty variable counts as unset. */
function hashKeyOf({ ARCHIVER_HASH_KEY: text }: Io["env"]): string | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return parseKey(text);
  } catch {
    throw new SnapshotError("usage", "ARCHIVER_HASH_KEY: expected 64 hex digits", {
      hint: "Correct the environment variable, or unset it.",
    });
  }
}
