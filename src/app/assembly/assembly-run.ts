/** One run of the main job: its settings, and the state that its steps share. */

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
  /** The hash database, if one is given. */
  readonly known: KnownHashes | undefined;
  /** The gossip file, if one is given. Each boundary reads it again. */
  readonly gossip: GivenGossip | undefined;
  readonly startedAt: Date;
}

/** One boundary whose snapshot the run assembles. */
export interface Attempt {
  readonly candidate: Candidate;
  readonly network: Network;
  /** Whether an older boundary can be tried after this one. */
  readonly hasOlder: boolean;
}

/** Returns the context of reading a list. */
export function listContext({ settings, clients, log }: Run): ListContext {
  return {
    client: clients.lists,
    hashKey: settings.hashKey,
    signal: settings.signal,
    warn: (message) => log.warn(message),
  };
}

/** Returns the context of a request to validators. */
export function nodeContext(run: Run): ListContext {
  return { ...listContext(run), client: run.clients.nodes };
}
