/** Reads the signed messages of the evidence one at a time, and counts their votes on the snapshot's hashes. */

import type { Vote } from "../../agreement/admission/admission.ts";
import { admit, type VoteWindow } from "../../agreement/admission/admit.ts";
import { KnownVotes } from "../../agreement/admission/known-votes.ts";
import { makeValidatorSet, type ValidatorSet } from "../../agreement/admission/validator-set.ts";
import { addVote, mostPopular, type Tally } from "../../agreement/tally.ts";
import { messageOf } from "../../errors/snapshot-error.ts";
import { partitionKey } from "../../format/artifact.ts";
import { GOSSIP_FILE, gossipLineBytesMax, gossipLines } from "../../format/evidence/gossip.ts";
import { fileBytesMax } from "../../format/file-bounds.ts";
import { popularHashesMax } from "../../limits/snapshot.ts";
import type { ActiveNode } from "../../protocol/node.ts";
import { GLOBAL_PARTITION, makeShard } from "../../protocol/shard.ts";
import { counted } from "../../text/counted.ts";
import type { Audit } from "./audit.ts";
import { VoteCount } from "./vote-count.ts";

export interface CountedVotes {
  readonly votes: VoteCount;
  /** The number of messages that count. */
  readonly messages: number;
  /** Store radius → the number of messages that list exactly the partitions within it around their sender's. */
  readonly shownRadii: ReadonlyMap<number, number>;
  /** Partition → the most popular hash; `undefined` if it was not requested. */
  readonly popular: ReadonlyMap<number, string> | undefined;
}

/** @param popularRadius if given, the most popular hashes are determined among the votes of nodes within it */
export async function countVotes(
  audit: Audit,
  nodes: readonly ActiveNode[],
  popularRadius: number | undefined,
): Promise<CountedVotes> {
  const counter = new Counter(audit, nodes, popularRadius);
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
  readonly #nodes: readonly ActiveNode[];
  readonly #window: VoteWindow;
  readonly #validators: ValidatorSet;
  readonly #seen: KnownVotes;
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #votes: VoteCount;
  readonly #shownRadii = new Map<number, number>();
  readonly #popularRadius: number | undefined;
  readonly #tally: Tally = new Map();
  #hashes = 0;
  #messages = 0;
  #equivocations = 0;

  constructor(audit: Audit, nodes: readonly ActiveNode[], popularRadius: number | undefined) {
    const { entries, hashKey, manifest } = audit.subject;
    // The largest group, whose bound fits any group size: the votes may have to show the real one.
    const shard = makeShard({ numNodes: nodes.length, nodesPerConsensusGroup: nodes.length });
    this.#validators = makeValidatorSet(nodes, shard);
    this.#window = { oldest: manifest.blockHeight, newest: manifest.blockHeight };
    this.#seen = new KnownVotes(hashKey);
    this.#audit = audit;
    this.#nodes = nodes;
    this.#popularRadius = popularRadius;
    this.#indexOf = new Map(nodes.map((node, index) => [node.id, index]));
    this.#votes = new VoteCount(nodes.length, (partition) => entries.get(partitionKey(partition)));
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

  result(): CountedVotes {
    if (this.#equivocations > 0) {
      this.#audit.note(
        `${counted(this.#equivocations, "node")} signed two different messages for this cycle; the first of each was counted`,
      );
    }
    const popular =
      this.#popularRadius === undefined
        ? undefined
        : new Map([...this.#tally].map(([partition, votes]) => [partition, mostPopular(votes).hash]));
    return { votes: this.#votes, messages: this.#messages, shownRadii: this.#shownRadii, popular };
  }

  #count({ sender, hashes }: Vote): string | undefined {
    const index = this.#indexOf.get(sender);
    if (index === undefined)
      throw new Error(`bug: a vote of ${sender}, which is not a validator, was admitted`);
    this.#messages++;
    for (const [partition, voted] of hashes) this.#votes.add(index, partition, voted);
    const radius = this.#shownRadius(hashes.keys(), index);
    if (radius !== undefined) this.#shownRadii.set(radius, (this.#shownRadii.get(radius) ?? 0) + 1);
    return this.#tallyPopular(hashes, index);
  }

  /** The store radius that a message shows: an honest node lists exactly the partitions that it stores. */
  #shownRadius(partitions: Iterable<number>, index: number): number | undefined {
    let radius = 0;
    let count = 0;
    for (const partition of partitions) {
      if (partition === GLOBAL_PARTITION) continue;
      if (partition >= this.#nodes.length) return undefined;
      radius = Math.max(radius, this.#votes.distance(index, partition));
      count++;
    }
    // All listed partitions are within the radius, so this number means that none is missing.
    return count === Math.min(this.#nodes.length, 2 * radius + 1) ? radius : undefined;
  }

  #tallyPopular(hashes: ReadonlyMap<number, string>, index: number): string | undefined {
    if (this.#popularRadius === undefined) return undefined;
    for (const [partition, hash] of hashes) {
      if (partition >= this.#nodes.length) continue;
      const isGlobal = partition === GLOBAL_PARTITION;
      if (!isGlobal && this.#votes.distance(index, partition) > this.#popularRadius) continue;
      if (this.#tally.get(partition)?.has(hash) !== true && ++this.#hashes > popularHashesMax) {
        return `it exceeds the bound of ${popularHashesMax} different hashes, so the most popular one is unknown`;
      }
      addVote(this.#tally, partition, hash);
    }
    return undefined;
  }
}
