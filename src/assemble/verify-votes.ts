/** Reads the signed messages of the evidence, one at a time, and counts what they say of the snapshot's hashes. */

import { addVote, mostPopular, type Tally } from "../gossip/tally.ts";
import { messageOf } from "../model/failure.ts";
import { popularHashesMax } from "../model/limits.ts";
import type { ActiveNode } from "../model/node.ts";
import { GLOBAL_PARTITION } from "../model/shard.ts";
import { isSignedBy, signedHash } from "../model/signature.ts";
import { GOSSIP_FILE, partitionKey } from "../model/snapshot-layout.ts";
import { fileBytesMax, gossipLineBytesMax } from "../verify/file-bounds.ts";
import { linesOf } from "../verify/lines.ts";
import { type GossipMessage, parseGossipMessage } from "../wire/gossip-message.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import type { Audit } from "./audit.ts";
import { VoteCount } from "./vote-count.ts";

export interface CountedVotes {
  readonly votes: VoteCount;
  /** Messages that count. */
  readonly messages: number;
  /** By store radius: how many messages list exactly the partitions within it around their sender's. */
  readonly shownRadii: ReadonlyMap<number, number>;
  /** By partition, the most popular hash; where it was asked for. */
  readonly popular: ReadonlyMap<number, string> | undefined;
}

/** @param popularRadius where the most popular hashes are asked for, among the votes of nodes within it */
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
    const bytesMax = gossipLineBytesMax(numPartitions);
    for await (const { number, bytes } of linesOf(chunks, bytesMax)) {
      const problem =
        bytes === undefined ? `it has more than ${bytesMax} bytes` : counter.take(bytes.toString("utf8"));
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
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #votes: VoteCount;
  readonly #shownRadii = new Map<number, number>();
  /** By sender: the signed hashes of its first message, and of the one that contradicts it. */
  readonly #seen = new Map<string, string[]>();
  readonly #popularRadius: number | undefined;
  readonly #tally: Tally = new Map();
  #hashes = 0;
  #equivocations = 0;

  constructor(audit: Audit, nodes: readonly ActiveNode[], popularRadius: number | undefined) {
    const { entries } = audit.subject;
    this.#audit = audit;
    this.#nodes = nodes;
    this.#popularRadius = popularRadius;
    this.#indexOf = new Map(nodes.map((node, index) => [node.id, index]));
    this.#votes = new VoteCount(nodes.length, (partition) => entries.get(partitionKey(partition)));
  }

  /** Takes a message in; returns why it does not count. */
  take(text: string): string | undefined {
    let message: GossipMessage;
    try {
      message = parseGossipMessage(parseJson(text, "the message"), "the message");
    } catch (error) {
      if (error instanceof WireError) return error.message;
      throw error;
    }
    const { sender, cycle, received } = message;
    const { hashKey, manifest } = this.#audit.subject;
    if (cycle !== manifest.blockHeight) return `it is of cycle ${cycle}, not ${manifest.blockHeight}`;
    const index = this.#indexOf.get(sender);
    if (index === undefined) return `its sender ${sender} is no node of the list`;
    const { sign } = received as { sign?: { owner?: unknown } | null };
    if (sign?.owner !== this.#nodes[index]?.publicKey || !isSignedBy(received, hashKey)) {
      return `the message of ${sender} is not signed with that node's key`;
    }
    return this.#admit(message, index, signedHash(received, hashKey));
  }

  result(): CountedVotes {
    if (this.#equivocations > 0) {
      this.#audit.note(
        `${this.#equivocations} nodes signed two different messages for this cycle; the first of each was counted`,
      );
    }
    const popular =
      this.#popularRadius === undefined
        ? undefined
        : new Map([...this.#tally].map(([partition, votes]) => [partition, mostPopular(votes).hash]));
    return { votes: this.#votes, messages: this.#seen.size, shownRadii: this.#shownRadii, popular };
  }

  #admit({ sender, hashes }: GossipMessage, index: number, hash: string): string | undefined {
    const seen = this.#seen.get(sender);
    if (seen !== undefined) {
      if (seen.includes(hash)) return `the message of ${sender} is there already`;
      if (seen.length > 1) return `it is one more message of ${sender}`;
      seen.push(hash);
      this.#equivocations++;
      return undefined;
    }
    this.#seen.set(sender, [hash]);
    for (const [partition, voted] of hashes) this.#votes.add(index, partition, voted);
    const radius = this.#shownRadius(hashes.keys(), index);
    if (radius !== undefined) this.#shownRadii.set(radius, (this.#shownRadii.get(radius) ?? 0) + 1);
    return this.#tallyPopular(hashes, index);
  }

  /** The store radius that a message shows: an honest node lists each partition that it stores, and no other. */
  #shownRadius(partitions: Iterable<number>, index: number): number | undefined {
    let radius = 0;
    let count = 0;
    for (const partition of partitions) {
      if (partition === GLOBAL_PARTITION) continue;
      if (partition >= this.#nodes.length) return undefined;
      radius = Math.max(radius, this.#votes.distance(index, partition));
      count++;
    }
    // All that are listed are within the radius; so many are there, only if none is left out.
    return count === Math.min(this.#nodes.length, 2 * radius + 1) ? radius : undefined;
  }

  #tallyPopular(hashes: ReadonlyMap<number, string>, index: number): string | undefined {
    if (this.#popularRadius === undefined) return undefined;
    for (const [partition, hash] of hashes) {
      if (partition >= this.#nodes.length) continue;
      const isGlobal = partition === GLOBAL_PARTITION;
      if (!isGlobal && this.#votes.distance(index, partition) > this.#popularRadius) continue;
      if (this.#tally.get(partition)?.has(hash) !== true && ++this.#hashes > popularHashesMax) {
        return `with it, there are more than ${popularHashesMax} different hashes: the most popular is not known`;
      }
      addVote(this.#tally, partition, hash);
    }
    return undefined;
  }
}
