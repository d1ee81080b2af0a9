/** Faults in what a validator says of its partitions' hashes, of others' messages and of the settings. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { GLOBAL_PARTITION } from "../../protocol/shard.ts";
import type { NodeSetup } from "../cluster/node-setup.ts";
import { makeVote, type SignedVote } from "../validator/gossip/vote.ts";
import { HttpError } from "../validator/http-error.ts";
import { sendHttpError } from "../validator/json-server.ts";
import { type FaultKind, given } from "./fault-kind.ts";

/** Messages that are forged in the names of others: enough to show, at any size of network. */
const forgeriesMax = 20;

type Hashes = ReadonlyMap<number, string>;

export const gossipFaults: readonly FaultKind[] = [
  {
    name: "lie",
    description: "believes, gossips and serves a changed account, the same as all liars",
    parameter: { kind: "partition" },
    apply: (node, value) => {
      const partition = given(value);
      if (node.network.state.countOf(partition) === 0) {
        throw new SnapshotError(
          "configuration",
          `lie=${partition}: the partition has no account to lie about`,
        );
      }
      node.lies.add(partition);
    },
  },
  {
    name: "lie-gossip",
    description: "gossips a false hash for each partition, or for one",
    parameter: { kind: "partition", default: undefined },
    apply: (node, partition) => {
      node.conduct.votes = [(hashes) => falsified(node, hashes, partition)];
    },
  },
  {
    name: "silent",
    description: "gossips no hashes of its own",
    apply: ({ conduct }) => {
      conduct.votes = [];
    },
  },
  {
    name: "equivocate",
    description: "gossips one message to half of the nodes, and another to the rest",
    apply: (node) => void node.conduct.votes.push((hashes) => falsified(node, hashes, undefined)),
  },
  {
    name: "bad-signature",
    description: "gossips a message whose signature does not hold",
    apply: ({ conduct }) => void conduct.messages.push(withBadSignature),
  },
  {
    name: "first-design-gossip",
    description: "gossips in the form of the first design",
    apply: ({ conduct }) => {
      conduct.isFirstDesign = true;
    },
  },
  {
    name: "no-gossip",
    description: "answers requests for gossip with 404",
    apply: ({ conduct }) => void conduct.gossip.push(() => undefined),
  },
  {
    name: "withhold-gossip",
    description: "passes on no message but its own",
    apply: ({ conduct, identity }) => {
      const own = `"sender":"${identity.id}"`;
      conduct.gossip.push((messages) => messages.filter((message) => message.includes(own)));
    },
  },
  {
    name: "forge-gossip",
    description: "passes on messages that it has signed itself in the names of others",
    apply: (node) => {
      const ofCycle = new Map<number, string[]>();
      node.conduct.gossip.push((messages, cycle) => {
        const forged = ofCycle.get(cycle) ?? forgeries(node, cycle);
        ofCycle.clear(); // those of the newest cycle are asked for again and again
        ofCycle.set(cycle, forged);
        return [...forged, ...messages];
      });
    },
  },
  {
    name: "wrong-netconfig",
    description: "states groups of <n> nodes in /netconfig",
    parameter: { kind: "count", default: 128 },
    apply: ({ conduct }, value) => {
      const nodesPerConsensusGroup = given(value);
      const sharding = { nodesPerConsensusGroup, nodesPerEdge: Math.floor(nodesPerConsensusGroup / 2) };
      conduct.netconfig.push(() => ({ config: { sharding } }));
    },
  },
  {
    name: "no-netconfig",
    description: "answers /netconfig with 404",
    apply: ({ conduct }) => {
      conduct.intercept.push((request, response) => {
        const isAsked = request.url === "/netconfig";
        if (isAsked) sendHttpError(response, new HttpError(404, "there is no GET /netconfig"));
        return Promise.resolve(isAsked);
      });
    },
  },
];

/** Falsehoods of its own: no two nodes tell the same. */
function falsified({ random }: NodeSetup, hashes: Hashes, partition: number | undefined): Hashes {
  return new Map([...hashes].map(([of, hash]) => [of, (partition ?? of) === of ? random.hex(8) : hash]));
}

function withBadSignature(message: SignedVote): SignedVote {
  const { owner, sig } = message.sign;
  const otherDigit = sig.startsWith("0") ? "1" : "0";
  return { ...message, sign: { owner, sig: otherDigit + sig.slice(1) } };
}

function forgeries({ network, identity, random }: NodeSetup, cycle: number): string[] {
  const others = network.identities.filter(({ id }) => id !== identity.id).slice(0, forgeriesMax);
  return others.map(({ id }) => {
    const hashes = new Map(network.identities.map((_, partition) => [partition, random.hex(8)]));
    hashes.set(GLOBAL_PARTITION, random.hex(8));
    return JSON.stringify(makeVote({ ...identity, id }, cycle, hashes));
  });
}
