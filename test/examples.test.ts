/** The programs in `examples/` do what their first lines say. They load the package by its name, as built. */

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { WrappedData } from "../src/protocol/account-copy.ts";
import type { Cluster } from "../src/testnet/cluster/cluster.ts";
import { temporaryDirectory } from "./helpers/temporary.ts";
import { readVectors } from "./helpers/vectors.ts";
import { published } from "./testnet/cluster/published.ts";
import { smallFixture, withCluster } from "./testnet/cluster/small-cluster.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What an example prints; it must end with status 0. */
async function run(example: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join("examples", example), ...args], {
    cwd: root,
  });
  return stdout;
}

/** The archiver's lists, as files. */
async function listsOf({ archiverUrl }: Cluster): Promise<{ nodes: string; cycles: string }> {
  const directory = temporaryDirectory();
  const save = async (file: string, path: string) => {
    const response = await fetch(`${archiverUrl}/${path}`);
    writeFileSync(join(directory, file), await response.text());
    return join(directory, file);
  };
  const nodes = await save("nodes.json", "full-nodelist?activeOnly=true");
  return { nodes, cycles: await save("cycles.json", "cycleinfo/100") };
}

describe("the examples", () => {
  it("assemble a snapshot and verify it", async () => {
    const { digest } = await published(smallFixture());
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const text = await run("assemble.mjs", cluster.archiverUrl, out);
      expect(text).toContain(`in ${join(out, `snapshot-${cluster.snapshotTimestamp}`)}\n`);
      expect(text).toContain(`verified: true\ndigest: ${digest}\n`);
    });
  });

  it("assemble from files and verify against the archiver's key", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const { nodes, cycles } = await listsOf(cluster);
      const timestamp = String(cluster.snapshotTimestamp);
      const text = await run("assemble-from-files.cjs", nodes, cycles, timestamp, out);
      expect(text).toContain(`network hash: ${cluster.networkHash}\n`);
      const directory = join(out, `snapshot-${timestamp}`);
      const verified = await run("verify.cjs", directory, cluster.archiverPublicKey);
      expect(verified).toContain("nodeList: proved\n");
      expect(verified).toContain("verified: true\n");
    });
  });

  it("hash accounts as the network does", async () => {
    const { cases } = readVectors<{
      cases: { numPartitions: number; wrapped: WrappedData[]; networkHash: string }[];
    }>("partition-hashes");
    const [vector] = cases.filter(({ numPartitions }) => numPartitions > 1);
    const file = join(temporaryDirectory(), "accounts.json");
    writeFileSync(file, JSON.stringify(vector?.wrapped));
    const text = await run("hash-accounts.mjs", String(vector?.numPartitions), file);
    expect(text).toContain(`network hash: ${vector?.networkHash}\n`);
  });

  it("print the canonical text and the hash of a JSON text", async () => {
    const text = await run("hash-text.cjs", '{"b": 1, "a": []}');
    expect(text).toMatch(/^\{"a":\[\],"b":1\}\n[0-9a-f]{64}\n$/);
  });
});
