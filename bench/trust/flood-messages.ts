/** Gossip messages for a flood: valid ones, and ones that a collector must reject. */

import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { asNodeIndex } from "../../dist/protocol/brands.js";
import { ownerOf, type Sign, signed } from "../../dist/protocol/crypto/signature.js";
import { GLOBAL_PARTITION, makeShard, type Shard, storedPartitions } from "../../dist/protocol/shard.js";

export const newestCycle = 20;
/** Of the network's nodes, forged messages name the last ones, which send no valid message. */
const forgedSenders = 100;

interface Signer {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: string;
}

export class FloodMessages {
  readonly signers: readonly Signer[];
  readonly #shard: Shard;
  #nextValid = 0;

  constructor(numNodes: number, sharding: { nodesPerConsensusGroup: number; nodesPerEdge: number }) {
    this.#shard = makeShard({ numNodes, ...sharding });
    this.signers = Array.from({ length: numNodes }, (_, index) => {
      const id = `${index.toString(16).padStart(8, "0")}${"0".repeat(56)}`;
      const { privateKey } = generateKeyPairSync("ed25519");
      return { id, privateKey, publicKey: ownerOf(privateKey) };
    });
  }

  /** Returns the next valid message: one of each node for each cycle, from the newest cycle back. */
  valid(): string {
    const number = this.#nextValid++;
    const cycle = newestCycle - Math.floor(number / this.signers.length);
    return JSON.stringify(this.message(number % this.signers.length, { cycle }));
  }

  /** Returns a message in the name of a node without any message, for a cycle that has not begun. */
  forged(part: "owner" | "signature"): string {
    const index = this.signers.length - 1 - Math.floor(Math.random() * forgedSenders);
    const { sign, ...message } = this.message(index, { cycle: newestCycle + 2 });
    // The signed hash is right: the check must reach the curve, which is its most expensive step.
    const forgedSign =
      part === "owner"
        ? { ...sign, owner: randomBytes(32).toString("hex") }
        : { ...sign, sig: `${randomBytes(32).toString("hex")}${sign.sig.slice(64)}` };
    return JSON.stringify({ ...message, sign: forgedSign });
  }

  message(index: number, changes: { readonly cycle?: number; readonly sender?: string }): { sign: Sign } {
    const signer = this.signers[index];
    if (signer === undefined) throw new RangeError(`no node ${index}`);
    const partitions = [GLOBAL_PARTITION, ...storedPartitions(this.#shard, asNodeIndex(index))];
    const partitionHash = Object.fromEntries(partitions.map((partition) => [partition, "ab".repeat(32)]));
    const data = { partitionHash, receiptMapHash: {}, summaryHash: {} };
    return signed({ cycle: newestCycle, data, sender: signer.id, ...changes }, signer.privateKey);
  }
}
