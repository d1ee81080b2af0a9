/** Debug output of a command: `--verbose`, `NODE_DEBUG=snapshot-assemble`, and SIGUSR1. */

import { currentStates, onDebug } from "../events/debug-channel.ts";
import { printableJson } from "../text/printable.ts";
import type { Io } from "./io.ts";

const SECTION = "snapshot-assemble";

/** Whether NODE_DEBUG names this program, as it names parts of Node. */
export function isDebugging(env: Io["env"]): boolean {
  const sections = (env["NODE_DEBUG"] ?? "").toLowerCase().split(",");
  return sections.some((section) => section.trim() === SECTION);
}

/**
 * Prints debug events, one JSON object a line.
 *
 * @returns the function that ends it
 */
export function printDebugEvents({ stderr }: Pick<Io, "stderr">): () => void {
  return onDebug((event) => {
    stderr.write(`${printableJson({ at: new Date().toISOString(), ...event })}\n`);
  });
}

/** Prints what is missing, who is requested for it, and since when: one JSON object. */
export function printState({ stderr }: Pick<Io, "stderr">): void {
  const state = { type: "state", at: new Date().toISOString(), pid: process.pid, tasks: currentStates() };
  stderr.write(`${printableJson(state)}\n`);
}
