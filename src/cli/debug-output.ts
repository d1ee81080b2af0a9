/** Debug output of a command: `--verbose`, `NODE_DEBUG=snapshot-assemble`, and SIGUSR1. */

import { currentStates, onDebug } from "../events/debug-channel.ts";
import { printableJson } from "../text/printable.ts";
import type { Io } from "./io.ts";

const SECTION = "snapshot-assemble";

/** Returns whether NODE_DEBUG lists this program. */
export function isDebugging(env: Io["env"]): boolean {
  const sections = (env["NODE_DEBUG"] ?? "").toLowerCase().split(",");
  return sections.some((section) => section.trim() === SECTION);
}

/**
 * Prints debug events, one JSON object per line.
 *
 * @returns a function that stops the printing
 */
export function printDebugEvents({ stderr }: Pick<Io, "stderr">): () => void {
  return onDebug((event) => {
    stderr.write(`${printableJson({ at: new Date().toISOString(), ...event })}\n`);
  });
}

/** Prints one JSON object: the missing partitions, and for each running query its node and its age. */
export function printState({ stderr }: Pick<Io, "stderr">): void {
  const state = { type: "state", at: new Date().toISOString(), pid: process.pid, tasks: currentStates() };
  stderr.write(`${printableJson(state)}\n`);
}
