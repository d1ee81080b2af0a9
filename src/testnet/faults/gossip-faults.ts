/** Faults in a validator's votes, in the gossip that it serves, and in its configuration. */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import { HttpError } from "../../http-server/http-error.ts";
import { asHashHex, asPartition, type Cycle, type HashHex, type Partition } from "../../protocol/brands.ts";
import { GLOBAL_PARTITION, ringPartitions } from "../../protocol/shard.ts";
import type { ValidatorSetup } from "../cluster/validator-setup.ts";
import { makeVote, type SignedVote } from "../validator/gossip/vote.ts";
import { sendHttpError } from "../validator/json-server.ts";
import { type FaultKind, optionalPartition, requiredValue } from "./fault-kind.ts";

/** The number of messages forged in the names of other nodes. */
const forgeriesMax = 20;

type Hashes = ReadonlyMap<Partition, HashHex>;

export const gossipFaults: readonly FaultKind[] = [
  {
    name: "lie",
    description: "votes for and serves a changed account, the same as others do",
    parameter: { kind: "partition" },
    apply: (node, value) => {
      const partition = asPartition(requiredValue(value));
      if (node.network.state.countOf(partition) === 0) {
        throw new SnapshotError("configuration", `lie=${partition}: the partition has no accounts`);
      }
      node.lies.add(partition);
    },
  },
  {
    name: "lie-gossip",
    description: "votes for a false hash of each partition, or of one",
    parameter: { kind: "partition", default: undefined },
    apply: (node, value) => {
      const partition = optionalPartition(value);
      node.hooks.gossip.votes = [(hashes) => falsified(node, hashes, partition)];
    },
  },
  {
    name: "silent",
    description: "does not vote",
    apply: ({ hooks }) => {
      hooks.gossip.votes = [];
    },
  },
  {
    name: "equivocate",
    description: "signs two different messages, and sends each to half of the nodes",
    apply: (node) => void node.hooks.gossip.votes.push((hashes) => falsified(node, hashes, undefined)),
  },
  {
    name: "bad-signature",
    description: "sends a message with an invalid signature",
    apply: ({ hooks }) => void hooks.gossip.messages.push(withBadSignature),
  },
  {
    name: "first-design-gossip",
    description: "sends its message in the form of the first design",
    apply: ({ hooks }) => {
      hooks.gossip.isFirstDesign = true;
    },
  },
  {
    name: "no-gossip",
    description: "rejects requests for gossip with 404",
    apply: ({ hooks }) => void hooks.gossip.forwarded.push(() => undefined),
  },
  {
    name: "withhold-gossip",
    description: "forwards and serves only its own message",
    apply: ({ hooks, identity }) => {
      const own = `"sender":"${identity.id}"`;
      hooks.gossip.forwarded.push((messages) => messages.filter((message) => message.includes(own)));
    },
  },
  {
    name: "forge-gossip",
    description: "adds messages in the names of other nodes, signed with its own key",
    apply: (node) => {
      const ofCycle = new Map<Cycle, string[]>();
      node.hooks.gossip.forwarded.push((messages, cycle) => {
        const forged = ofCycle.get(cycle) ?? forgeries(node, cycle);
        ofCycle.clear(); // requests repeat for the newest cycle only
        ofCycle.set(cycle, forged);
        return [...forged, ...messages];
      });
    },
  },
  {
    name: "wrong-netconfig",
    description: "states consensus groups of <count> nodes in /netconfig",
    parameter: { kind: "count", default: 128 },
    apply: ({ hooks }, value) => {
      const nodesPerConsensusGroup = requiredValue(value);
      const sharding = { nodesPerConsensusGroup, nodesPerEdge: Math.floor(nodesPerConsensusGroup / 2) };
      hooks.requests.netconfig.push(() => ({ config: { sharding } }));
    },
  },
  {
    name: "no-netconfig",
    description: "rejects requests for /netconfig with 404",
    apply: ({ hooks }) => {
      hooks.requests.intercept.push((request, response) => {
        const isNetconfig = request.url === "/netconfig";
        if (isNetconfig) sendHttpError(response, new HttpError(404, "not found: GET /netconfig"));
        return Promise.resolve(isNetconfig);
      });
    },
  },
];

/** Returns false hashes, different for each node. */
function falsified({ random }: ValidatorSetup, hashes: Hashes, partition: Partition | undefined): Hashes {
  return new Map(
    [...hashes].map(([of, hash]) => [of, (partition ?? of) === of ? asHashHex(random.hex(8)) : hash]),
  );
}

function withBadSignature(message: SignedVote): SignedVote {
  const { owner, sig } = message.sign;
  const otherDigit = sig.startsWith("0") ? "1" : "0";
  return { ...message, sign: { owner, sig: otherDigit + sig.slice(1) } };
}

function forgeries({ network, identity, random }: ValidatorSetup, cycle: Cycle): string[] {
  const others = network.identities.filter(({ id }) => id !== identity.id).slice(0, forgeriesMax);
  return others.map(({ id }) => {
    const hashes = new Map(
      ringPartitions(network.shard).map((partition) => [partition, asHashHex(random.hex(8))]),
    );
    hashes.set(GLOBAL_PARTITION, asHashHex(random.hex(8)));
    return JSON.stringify(makeVote({ ...identity, id }, cycle, hashes));
  });
}
