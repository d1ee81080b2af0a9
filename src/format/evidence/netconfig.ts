/** `evidence/netconfig.json`: a `/netconfig` response that proves the sharding settings, as received. */

import { type NetworkConfig, parseNetconfig } from "../../wire/netconfig.ts";
import { WireError } from "../../wire/parse.ts";
import { EVIDENCE_DIRECTORY } from "../snapshot-names.ts";

export const NETCONFIG_FILE = `${EVIDENCE_DIRECTORY}/netconfig.json`;

export interface NetconfigProof {
  readonly settings: NetworkConfig;
  /** The object whose hash is in the cycle record. */
  readonly config: unknown;
}

/**
 * Parses the `/netconfig` response of the evidence.
 *
 * @throws WireError
 */
export function parseNetconfigProof(received: unknown, from: string): NetconfigProof {
  const settings = parseNetconfig(received, from);
  if (typeof received !== "object" || received === null || !("config" in received)) {
    throw new WireError(from, "config: expected an object");
  }
  return { settings, config: received.config };
}
