import { describe, expect, it } from "vitest";
import { startCluster } from "../../src/testnet/cluster/cluster.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom, comparedFiles } from "./run.ts";

/** Nine nodes whose partitions are large enough to be continued. */
const large = { accounts: 900, accountBytes: 3_000, globalAccounts: 6 };

describe("a run whose responses break off", () => {
  it.each([3, 9])("continues each behind its last account, with %s nodes", async (nodes) => {
    const honest = await startCluster(smallFixture({ nodes, ...large }));
    const broken = await startCluster(smallFixture({ nodes, ...large, faults: ["*:break-half"] }));
    try {
      const whole = await assembleFrom(honest);
      const result = await assembleFrom(broken);
      expect(comparedFiles(result.directory)).toEqual(comparedFiles(whole.directory));
      expect(result.offences).toEqual([]);
      expect(result.bytes.received).toBeLessThan(1.2 * whole.bytes.received);
    } finally {
      await honest.stop();
      await broken.stop();
    }
  });
});
