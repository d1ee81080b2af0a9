/** Finds the sharding settings of each cycle that a run tries, once for all cycles of one configuration. */

import { networkConfigHashOf } from "../../protocol/cycle-record.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import type { Candidate, Network } from "../../trust/read-network.ts";
import { findSharding, requireSnapshotsOn, type Sharding } from "../../trust/sharding.ts";
import { nodeContext, type Run } from "./assembly-run.ts";
import { publishedNetconfig } from "./place/published.ts";

export class ShardingOfCycles {
  readonly #run: Run;
  readonly #network: Network;
  /** By the hash of the network's configuration. */
  readonly #known = new Map<string | undefined, Sharding>();

  constructor(run: Run, network: Network) {
    this.#run = run;
    this.#network = network;
  }

  /**
   * Returns the sharding settings of a candidate's cycle.
   *
   * @throws SnapshotError if no source settles the settings, or if the network takes no snapshots
   */
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
    log.stage("requesting the sharding settings from validators");
    const { signal, network, output } = settings;
    const kept = await publishedNetconfig({ out: output.out, timestamp: candidate.timestamp }, signal);
    const nodes = respondents(this.#network, candidate);
    const sharding = await findSharding(nodes, network, configHash, { ...nodeContext(this.#run), kept });
    this.#known.set(configHash, sharding);
    return sharding;
  }
}

/**
 * Returns the nodes that are requested for the configuration: the present ones, since a node that has left does not
 * respond. The hash in the cycle record proves what they state.
 */
export function respondents({ nodes }: Network, { members }: Candidate): readonly ActiveNode[] {
  return nodes.length > 0 ? nodes : members.nodes;
}
