import { appendFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { verifySnapshot } from "../../src/app/verify.ts";
import { assembleFrom } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";
import { faultOfMessage, hostileText } from "../wire/hostile-text.ts";

it("a finding about a hostile key contains no control characters", async () => {
  const directory = await withCluster({}, async (cluster) => (await assembleFrom(cluster)).directory);
  const copy = join(temporaryDirectory(), "copy");
  cpSync(directory, copy, { recursive: true });
  appendFileSync(join(copy, "export-data.jsonl"), `${JSON.stringify([`z${hostileText}`, "1"])}\n`);
  const { findings } = await verifySnapshot(copy);
  for (const { problem } of findings) expect(faultOfMessage(problem)).toBeUndefined();
});
