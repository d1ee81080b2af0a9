/** The validators of a cycle: who may vote, and where each of them is on the ring. */

import { makeValidatorSet, type ValidatorSet } from "../../agreement/admission/validator-set.ts";
import type { NodeId, NodeIndex } from "../../protocol/brands.ts";
import { type ActiveNode, indexesOf } from "../../protocol/node.ts";
import type { Shard } from "../../protocol/shard.ts";
import { type Sharding, shardOf } from "../../trust/sharding.ts";

export interface CycleValidators {
  /** In ascending order of ID. */
  readonly nodes: readonly ActiveNode[];
  readonly shard: Shard;
  readonly sharding: Sharding;
  /** Whether the sharding settings are given or proved. If not, nobody is blamed for offences that depend on them. */
  readonly areSettingsProved: boolean;
  readonly set: ValidatorSet;
  readonly indexOf: ReadonlyMap<NodeId, NodeIndex>;
}

export function makeCycleValidators(nodes: readonly ActiveNode[], sharding: Sharding): CycleValidators {
  const shard = shardOf(nodes.length, sharding);
  return {
    nodes,
    shard,
    sharding,
    areSettingsProved: sharding.source !== "told",
    set: makeValidatorSet(nodes, shard),
    indexOf: indexesOf(nodes.map(({ id }) => id)),
  };
}

export function isSameValidators(validators: CycleValidators, nodes: readonly ActiveNode[]): boolean {
  return (
    validators.nodes.length === nodes.length &&
    nodes.every(({ id, publicKey, url }, index) => {
      const other = validators.nodes[index];
      return other?.id === id && other.publicKey === publicKey && other.url === url;
    })
  );
}
