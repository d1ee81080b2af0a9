/** Reads the signed messages of the evidence one at a time, and counts the votes that are admitted. */

import type { Vote } from "../../agreement/admission/admission.ts";
import { admit, type VoteWindow } from "../../agreement/admission/admit.ts";
import { KnownVotes } from "../../agreement/admission/known-votes.ts";
import { makeValidatorSet, type ValidatorSet } from "../../agreement/admission/validator-set.ts";
import { messageOf } from "../../errors/snapshot-error.ts";
import { GOSSIP_FILE, gossipLineBytesMax, gossipLines } from "../../format/evidence/gossip.ts";
import { fileBytesMax } from "../../format/file-bounds.ts";
import type { NodeId, NodeIndex, Partition } from "../../protocol/brands.ts";
import { type ActiveNode, indexesOf } from "../../protocol/node.ts";
import { GLOBAL_PARTITION, makeShard, ringDistance, type Shard } from "../../protocol/shard.ts";
import { counted } from "../../text/counted.ts";
import type { Audit } from "./audit.ts";
import type { GroupSizeProof } from "./group-size-proof.ts";
import type { SnapshotTally } from "./snapshot-tally.ts";

/** What admitted votes are counted by. */
export interface Counts {
  /** `undefined` if the sharding settings are unknown. */
  readonly tally: SnapshotTally | undefined;
  /** `undefined` if the sharding settings need no proof by votes. */
  readonly proof: GroupSizeProof | undefined;
}

/** What the messages show, whatever they vote for. */
export interface ShownByVotes {
  /** The number of messages that count. */
  readonly messages: number;
  /** Store radius → the number of messages that list exactly the partitions within it around their sender's. */
  readonly shownRadii: ReadonlyMap<number, number>;
}

export async function countVotes(
  audit: Audit,
  nodes: readonly ActiveNode[],
  counts: Counts,
): Promise<ShownByVotes> {
  const counter = new Counter(audit, nodes, counts);
  const { numPartitions } = audit.subject.manifest.snapshot;
  const { reader } = audit.subject;
  try {
    const chunks = reader.readChunks(GOSSIP_FILE, fileBytesMax(GOSSIP_FILE, numPartitions));
    for await (const { number, bytes } of gossipLines(chunks, numPartitions)) {
      const problem =
        bytes === undefined
          ? `it has more than ${gossipLineBytesMax(numPartitions)} bytes`
          : counter.take(bytes.toString("utf8"));
      if (problem !== undefined) audit.findings.add("gossip", GOSSIP_FILE, `line ${number}: ${problem}`);
    }
  } catch (error) {
    audit.findings.add("gossip", GOSSIP_FILE, messageOf(error));
  }
  return counter.result();
}

class Counter {
  readonly #audit: Audit;
  readonly #counts: Counts;
  /** The largest group, whose bounds fit any group size: the votes may have to show the real one. */
  readonly #shard: Shard;
  readonly #window: VoteWindow;
  readonly #validators: ValidatorSet;
  readonly #seen: KnownVotes;
  readonly #indexOf: ReadonlyMap<NodeId, NodeIndex>;
  readonly #shownRadii = new Map<number, number>();
  #messages = 0;
  #equivocations = 0;

  constructor(audit: Audit, nodes: readonly ActiveNode[], counts: Counts) {
    const { hashKey, manifest } = audit.subject;
    this.#shard = makeShard({ numNodes: nodes.length, nodesPerConsensusGroup: nodes.length });
    this.#validators = makeValidatorSet(nodes, this.#shard);
    this.#window = { oldest: manifest.blockHeight, newest: manifest.blockHeight };
    this.#seen = new KnownVotes(hashKey);
    this.#audit = audit;
    this.#counts = counts;
    this.#indexOf = indexesOf(nodes.map(({ id }) => id));
  }

  /** Admits and counts a message. Returns the problem if it does not belong to the evidence. */
  take(text: string): string | undefined {
    const admission = admit(text, this.#window, () => this.#validators, this.#seen);
    switch (admission.kind) {
      case "new":
        return this.#count(admission.vote);
      case "equivocation":
        this.#equivocations++;
        return undefined;
      case "duplicate":
        return `the message of ${admission.vote.sender} is a duplicate`;
      case "rejected":
        return admission.problem;
    }
  }

  result(): ShownByVotes {
    if (this.#equivocations > 0) {
      this.#audit.note(
        `${counted(this.#equivocations, "node")} signed two different messages for this cycle; the first of each was counted`,
      );
    }
    return { messages: this.#messages, shownRadii: this.#shownRadii };
  }

  #count({ sender, hashes }: Vote): string | undefined {
    const index = this.#indexOf.get(sender);
    if (index === undefined)
      throw new Error(`bug: a vote of ${sender}, which is not a validator, was admitted`);
    this.#messages++;
    const radius = this.#shownRadius(hashes.keys(), index);
    if (radius !== undefined) this.#shownRadii.set(radius, (this.#shownRadii.get(radius) ?? 0) + 1);
    this.#counts.proof?.add(index, hashes);
    return this.#counts.tally?.count(index, hashes);
  }

  /** Returns the store radius that a message shows: an honest node lists exactly the partitions that it stores. */
  #shownRadius(partitions: Iterable<Partition>, index: NodeIndex): number | undefined {
    const { numNodes } = this.#shard;
    let radius = 0;
    let count = 0;
    for (const partition of partitions) {
      if (partition === GLOBAL_PARTITION) continue;
      if (partition >= numNodes) return undefined;
      radius = Math.max(radius, ringDistance(this.#shard, index, partition));
      count++;
    }
    // All listed partitions are within the radius, so this number means that none is missing.
    return count === Math.min(numNodes, 2 * radius + 1) ? radius : undefined;
  }
}
