/** The sharding settings of the cycles that a run tries, looked up once for all cycles of the same configuration. */

import { networkConfigHashOf } from "../../protocol/cycle-record.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import type { Candidate, Network } from "../../trust/read-network.ts";
import { findSharding, requireSnapshotsOn, type Sharding } from "../../trust/sharding.ts";
import { publishedNetconfig } from "./place/published.ts";
import { nodeContext, type Run } from "./run.ts";

export class ShardingOfCycles {
  readonly #run: Run;
  readonly #network: Network;
  /** By the hash of the network's configuration. */
  readonly #known = new Map<string | undefined, Sharding>();

  constructor(run: Run, network: Network) {
    this.#run = run;
    this.#network = network;
  }

  /** @throws SnapshotError where nothing settles them, or the network makes no snapshots */
  async of(candidate: Candidate): Promise<Sharding> {
    const sharding = await this.#find(candidate);
    this.#run.log.record({ type: "settings", areProved: sharding.source !== "told" });
    requireSnapshotsOn(sharding, candidate.cycle.counter);
    return sharding;
  }

  async #find(candidate: Candidate): Promise<Sharding> {
    const { settings, log } = this.#run;
    const configHash = networkConfigHashOf(candidate.cycle);
    const known = this.#known.get(configHash);
    if (known !== undefined) return known;
    log.stage("asking validators for the sharding settings");
    const { out, signal } = settings;
    const kept = await publishedNetconfig({ out, timestamp: candidate.timestamp }, signal);
    const nodes = respondents(this.#network, candidate);
    const sharding = await findSharding(nodes, settings, configHash, { ...nodeContext(this.#run), kept });
    this.#known.set(configHash, sharding);
    return sharding;
  }
}

/**
 * Who is asked for the configuration: the nodes of today, since one that has left does not respond, and the hash in the
 * record proves what they state.
 */
export function respondents({ nodes }: Network, { members }: Candidate): readonly ActiveNode[] {
  return nodes.length > 0 ? nodes : members.nodes;
}
