/** One run of the main job: its settings, and what all of its steps share. */

import type { GivenGossip } from "../../agreement/given-gossip.ts";
import type { RunLog } from "../../events/run-log.ts";
import type { ListContext } from "../../trust/list-source.ts";
import type { NetworkClients } from "../../trust/node-addresses.ts";
import type { Candidate, Network } from "../../trust/read-network.ts";
import type { KnownHashes } from "./known-hashes.ts";
import type { AssembleSettings } from "./options.ts";

export interface Run {
  readonly settings: AssembleSettings;
  readonly clients: NetworkClients;
  readonly log: RunLog;
  /** The hash database, where one is given. */
  readonly known: KnownHashes | undefined;
  /** The gossip file, where one is given. Each boundary reads it again, and a pipe gives its messages once. */
  readonly gossip: GivenGossip | undefined;
  readonly startedAt: Date;
}

/** One boundary that a run assembles the snapshot of. */
export interface Attempt {
  readonly candidate: Candidate;
  readonly network: Network;
  /** Whether there is an older boundary to fall back to. */
  readonly hasOlder: boolean;
}

/** What reading a list needs. */
export function listContext({ settings, clients, log }: Run): ListContext {
  return {
    client: clients.lists,
    hashKey: settings.hashKey,
    signal: settings.signal,
    warn: (message) => log.warn(message),
  };
}

/** What a request to validators needs. */
export function nodeContext(run: Run): ListContext {
  return { ...listContext(run), client: run.clients.nodes };
}
