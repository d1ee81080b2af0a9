import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { archiverIdentity, makeArchiverServer } from "../../../src/testnet/cluster/archiver-server.ts";
import { withCluster } from "../../testnet/cluster/small-cluster.ts";
import { assembleFrom } from "../run.ts";

/** An archiver that answers as the cluster's does, and has the records up to a number at each request. */
async function archiverWith(
  upTo: (request: number) => number,
  cluster: { archiverUrl: string; name: string },
) {
  const lists = async (path: string) => (await fetch(`${cluster.archiverUrl}/${path}`)).json();
  const { nodeList } = (await lists("full-nodelist")) as { nodeList: never };
  const { cycleInfo } = (await lists("cycleinfo/100")) as { cycleInfo: { counter: number }[] };
  const ascending = cycleInfo.toReversed();
  let requests = 0;
  const server = makeArchiverServer({
    identity: archiverIdentity("small"),
    nodeList: () => nodeList,
    cycles: () => ascending.filter(({ counter }) => counter <= upTo(++requests)) as never,
  });
  onTestFinished(() => server.close());
  return await server.listen("127.0.0.1");
}

const recordsIn = (directory: string) => {
  const { cycleInfo } = JSON.parse(readFileSync(join(directory, "evidence/cycles.json"), "utf8"));
  return (cycleInfo as { counter: number }[]).map(({ counter }) => counter).sort((a, b) => a - b);
};

describe("the record of the cycle after the snapshot's", () => {
  it("is in the evidence if the archiver got it during the run", async () => {
    await withCluster({}, async (cluster) => {
      const { snapshotCycle } = cluster;
      const archiver = await archiverWith((request) => snapshotCycle + Math.min(1, request - 1), cluster);
      const { directory, warnings } = await assembleFrom(cluster, { archiver });
      expect(recordsIn(directory).at(-1)).toBe(snapshotCycle + 1);
      expect(JSON.stringify(warnings)).not.toContain("there is no record of cycle");
    });
  });

  it("is missed in a warning that says what it is for, and the snapshot is published", async () => {
    await withCluster({}, async (cluster) => {
      const { snapshotCycle } = cluster;
      const archiver = await archiverWith(() => snapshotCycle, cluster);
      const { directory, warnings } = await assembleFrom(cluster, { archiver });
      expect(recordsIn(directory).at(-1)).toBe(snapshotCycle);
      expect(JSON.stringify(warnings)).toContain(`there is no record of cycle ${snapshotCycle + 1} yet`);
    });
  });
});

it("the list of archivers is in the evidence of a snapshot", async () => {
  await withCluster({}, async (cluster) => {
    const { directory } = await assembleFrom(cluster);
    const text = readFileSync(join(directory, "evidence/archivers.json"), "utf8");
    const { hostname: ip, port } = new URL(cluster.archiverUrl);
    const own = { publicKey: cluster.archiverPublicKey, ip, port: Number(port) };
    expect(JSON.parse(text)).toMatchObject({ activeArchivers: [own] });
  });
});
