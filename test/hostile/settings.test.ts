/** Validators that lie about the number of nodes that vote on a partition, so that a few votes decide. */

import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import { loadFixture } from "../../src/testnet/cluster/fixture.ts";
import { assembleFrom, failureOf, filesIn } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

async function withFixture(name: string, test: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await startCluster(await loadFixture(name));
  try {
    await test(cluster);
  } finally {
    await cluster.stop();
  }
}

const true15: Partial<AssembleOptions> = { nodesPerConsensusGroup: 11, nodesPerEdge: 2 };

describe("liars about the sharding settings", () => {
  it("stop a run if all others are silent and nothing proves the settings", async () => {
    await withFixture("settings-withheld", async (cluster) => {
      const out = temporaryDirectory();
      const { code, message, hint } = await failureOf(assembleFrom(cluster, { out }));
      expect(code).toBe("no-agreement");
      expect(message).toContain("only 3 of 15 validators state the sharding settings");
      expect(message).toContain("3 state 5 per consensus group and 2 per edge");
      expect(hint).toContain("--nodes-per-consensus-group");
      expect(readdirSync(out)).toEqual([]);
    });
  });

  it("are outvoted and named if the user gives the true settings", async () => {
    await withFixture("settings-withheld", async (cluster) => {
      const result = await assembleFrom(cluster, true15);
      expect(result.networkHash).toBe(cluster.networkHash);
      expect([...new Set(result.offences.map(({ node }) => node))].sort()).toEqual(
        [6, 7, 8].map((index) => cluster.nodes[index]?.id),
      );
    });
  });

  it("do not decide if two of any five neighbours lie and the cycle record proves the settings", async () => {
    await withFixture("settings-lied-about", async (cluster) => {
      for (let run = 0; run < 3; run++) {
        const result = await assembleFrom(cluster);
        expect(result.networkHash).toBe(cluster.networkHash);
        const evidence = filesIn(result.directory);
        expect(JSON.parse(String(evidence.get("evidence/counting.json")))).toMatchObject({
          sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2, source: "proved" },
        });
        expect(JSON.parse(String(evidence.get("evidence/netconfig.json")))).toMatchObject({
          config: { sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2 } },
        });
      }
    });
  });

  it("are not blamed if the settings are only told", async () => {
    await withFixture("settings-told", async (cluster) => {
      const result = await assembleFrom(cluster);
      expect(result.networkHash).toBe(cluster.networkHash);
      expect(result.offences).toEqual([]);
      expect(result.warnings).toEqual([expect.stringContaining("nothing proves")]);
      const evidence = filesIn(result.directory);
      expect(JSON.parse(String(evidence.get("evidence/counting.json")))).toMatchObject({
        sharding: { source: "told" },
      });
      expect([...evidence.keys()]).not.toContain("evidence/netconfig.json");
    });
  });
});

describe("the partitions that signed messages list", () => {
  it("contradict wrong settings of a user before any accounts are requested", async () => {
    await withFixture("settings-told", async (cluster) => {
      const wrong = { nodesPerConsensusGroup: 5, nodesPerEdge: 2 };
      const { code, message, hint } = await failureOf(assembleFrom(cluster, wrong));
      expect(code).toBe("no-agreement");
      expect(message).toContain("9 of 9 signed messages list other partitions");
      expect(hint).toContain("Correct --nodes-per-consensus-group");
    });
  });
});
