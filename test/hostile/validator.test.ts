/** Validators whose accounts and messages should make their reader hang, crash or run out of memory. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { OffenceKind } from "../../src/errors/offence.ts";
import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import type { FaultKind } from "../../src/testnet/faults/fault-kind.ts";
import type { FaultHooks } from "../../src/testnet/validator/fault-hooks.ts";
import { assembleFrom, filesIn } from "../app/run.ts";
import { readVectors } from "../helpers/vectors.ts";
import { networkText } from "../protocol/network-text.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";

const MiB = 1024 * 1024;

/** The node that is queried first. */
const liar = 0;

function nested(levels: number, open: string, inner: string, close: string): string {
  return open.repeat(levels) + inner + close.repeat(levels);
}

const hostileData: readonly { id: string; data: () => string; kind?: OffenceKind }[] = [
  {
    id: "big integers whose digits are big integers, 110 deep",
    data: () => nested(110, '{"dataType":"bi","value":', '"ffffffffffffffff"', "}"),
  },
  {
    id: "such big integers where a byte belongs",
    data: () => `{"type":"Buffer","data":[[${nested(110, '{"dataType":"bi","value":', '"ffff"', "}")}]]}`,
  },
  {
    id: "20,000 typed values in one another",
    data: () => nested(20_000, '{"type":"Buffer","data":', '"x"', "}"),
  },
  {
    id: "20,000 lists of bytes in one another",
    data: () => nested(20_000, '{"type":"Buffer","data":[', "1", "]}"),
  },
  { id: "objects nested 600 deep", data: () => nested(600, '{"a":', "1", "}") },
  { id: "a million lists in one another", data: () => nested(MiB, "[", "1", "]") },
  { id: "seven million digits", data: () => `{"dataType":"bi","value":"${"f".repeat(7 * MiB)}"}` },
  { id: "an invalid big integer", data: () => '{"dataType":"bi","value":"xyz"}' },
  { id: "six megabytes of empty objects", data: () => `[${"{},".repeat(2 * MiB)}{}]` },
  {
    id: "sixteen megabytes of empty objects",
    data: () => `[${"{},".repeat(5.3 * MiB)}{}]`,
    kind: "oversized-answer",
  },
  {
    id: "a buffer of three million numbers",
    data: () => `{"type":"Buffer","data":[${"1,".repeat(3 * MiB)}1]}`,
  },
];

/** A small cluster whose first node has a fault. */
async function withLiar(
  tell: (hooks: FaultHooks) => void,
  test: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const kind: FaultKind = { name: "hostile", description: "", apply: ({ hooks }) => tell(hooks) };
  const fixture = smallFixture();
  const fault = { node: liar, name: kind.name, value: undefined, kind };
  const cluster = await startCluster({ ...fixture, faults: [fault] });
  try {
    await test(cluster);
  } finally {
    await cluster.stop();
  }
}

describe("a validator whose response contains an account with", () => {
  it.each(hostileData)(
    "$id is the only blamed node, and others give its partitions",
    async ({ data, kind }) => {
      const text = data();
      const account = `{"accountId":"${"00".repeat(32)}","stateId":"aa","data":${text},"timestamp":1}`;
      await withLiar(
        (hooks) => hooks.responses.text.push(() => [`{"snapshot":[`, account, "]}"]),
        async (cluster) => {
          const { networkHash, offences } = await assembleFrom(cluster);
          expect(networkHash).toBe(cluster.networkHash);
          expect(offences).toEqual([
            expect.objectContaining({
              node: cluster.nodes[liar]?.id,
              kind: kind ?? "malformed-answer",
              basis: "observed",
            }),
          ]);
        },
      );
    },
  );
});

describe("a validator that relays a message with", () => {
  it.each(hostileData)("$id does not stop a run, and no honest node is blamed", async ({ data }) => {
    const text = data();
    const message = `{"cycle":8,"data":{"partitionHash":{}},"sender":"${"00".repeat(32)}","more":${text}}`;
    await withLiar(
      (hooks) => hooks.gossip.forwarded.push((messages) => [message, ...messages]),
      async (cluster) => {
        const { networkHash, offences } = await assembleFrom(cluster);
        expect(networkHash).toBe(cluster.networkHash);
        const blamed = new Set(offences.map(({ node }) => node));
        blamed.delete(cluster.nodes[liar]?.id ?? "");
        expect([...blamed]).toEqual([]);
      },
    );
  });
});

it("an honest network with typed values in typed values is published with the hashes of its own code", async () => {
  const { cases } = readVectors<{ cases: { wire: string; canonical: string | null }[] }>("canonical-nested");
  const wires = cases.filter(({ wire, canonical }) => canonical !== null && wire.startsWith("{"));
  const sent = new Map<string, string>();
  const cluster = await startCluster(smallFixture({ accounts: 300 }), {
    makeAccount: (random, accountId, timestamp, isGlobal) => {
      const wire = wires[random.below(wires.length)]?.wire ?? "{}";
      const data = JSON.parse(wire) as unknown;
      sent.set(accountId, JSON.stringify(data));
      return { accountId, stateId: accountId, data, timestamp, syncData: { isGlobal } };
    },
  });
  try {
    const { networkHash, directory, offences } = await assembleFrom(cluster);
    expect(networkHash).toBe(cluster.networkHash);
    expect(offences).toEqual([]);
    const partitions = [...filesIn(directory).keys()].filter((file) => file.startsWith("partition-"));
    const published = partitions.flatMap(
      (file) =>
        JSON.parse(readFileSync(join(directory, file), "utf8")) as { accountId: string; data: string }[],
    );
    expect(published).toHaveLength(304);
    for (const { accountId, data } of published) expect(data).toBe(networkText(sent.get(accountId) ?? ""));
  } finally {
    await cluster.stop();
  }
});
