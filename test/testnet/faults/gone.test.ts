import { expect, it, onTestFinished } from "vitest";
import { asNodeIndex } from "../../../src/protocol/brands.ts";
import { makeNetwork } from "../../../src/testnet/cluster/network.ts";
import { honestSetup } from "../../../src/testnet/cluster/validator-setup.ts";
import { applyFault, parseFault } from "../../../src/testnet/faults/faults.ts";
import { NodeAccounts } from "../../../src/testnet/state/node-accounts.ts";
import { HeldSnapshots } from "../../../src/testnet/validator/held-snapshots.ts";
import { makeValidatorServer } from "../../../src/testnet/validator/validator-server.ts";
import { asPartitions } from "../../helpers/brands.ts";
import { smallFixture } from "../cluster/small-cluster.ts";

it("a validator with the fault gone drops the snapshot that is requested first, and keeps the others", async () => {
  const network = makeNetwork(smallFixture());
  const setup = honestSetup(network, asNodeIndex(0), asPartitions([4, 0, 1]));
  applyFault(parseFault("0:gone=2"), setup);
  const snapshots = new HeldSnapshots(() => ({ startMs: 0, durationMs: 1000, finalizedMs: 9000 }));
  const accounts = new NodeAccounts(network.state, setup.stored, setup.lies);
  snapshots.hold([
    [2000, accounts],
    [3000, accounts],
  ]);
  const { hooks } = setup;
  const server = makeValidatorServer({ netconfig: {}, snapshots, gossipOf: () => undefined, hooks });
  const url = `${await server.listen("127.0.0.1")}/snapshot`;
  onTestFinished(() => server.close());
  const statuses: string[] = [];
  for (const timestamp of [2000, 3000, 2000, 2000, 3000, 2000]) {
    const response = await fetch(url, { method: "POST", body: JSON.stringify({ timestamp }) });
    await response.text();
    statuses.push(`${timestamp} ${response.status}`);
  }
  expect(statuses).toEqual(["2000 200", "3000 200", "2000 200", "2000 404", "3000 200", "2000 404"]);
});
