/** Snapshot directories of an attacker, checked by an auditor with trusted input. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifySnapshot } from "../../src/app/verify.ts";
import { commandLine } from "../cli/command-line.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import {
  archiver,
  chainOf,
  forge,
  networkConfigHash,
  rechained,
  silentChain,
  snapshotCycle,
  stranger,
  timestamp,
  trueChain,
  trustedList,
} from "./forged-snapshot.ts";

interface Verdict {
  readonly status: number;
  readonly kinds: readonly string[];
  readonly bases: Readonly<Record<string, string>>;
  readonly chain: string;
}

async function verify(directory: string, ...args: string[]): Promise<Verdict> {
  const { status, summary } = await commandLine(["verify", "--json", ...args, directory]);
  const { findings, claims, chain } = summary() as {
    findings: { kind: string }[];
    claims: { claim: string; basis: string }[];
    chain: string;
  };
  const kinds = [...new Set(findings.map(({ kind }) => kind))].sort();
  return {
    status,
    kinds,
    bases: Object.fromEntries(claims.map(({ claim, basis }) => [claim, basis])),
    chain,
  };
}

let lists: string;
let unsignedList: string;
let signedList: string;
beforeAll(() => {
  lists = makeTemporaryDirectory();
  unsignedList = trustedList(lists);
  signedList = trustedList(lists, archiver);
});
afterAll(() => removeDirectory(lists));

const markerOf = (counter: number) => trueChain[counter]?.marker ?? "";
const toldCounting = (nodesPerConsensusGroup: number, nodesPerEdge: number, rule = "majority") => ({
  sharding: { nodesPerConsensusGroup, nodesPerEdge, source: "told" },
  quorum: { rule, source: "given" },
});

describe("an honest directory", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await forge(makeTemporaryDirectory());
  });

  it("has only told claims if the auditor gives nothing", async () => {
    expect(await verify(directory)).toEqual({
      status: 0,
      kinds: [],
      bases: { nodeList: "told", cycle: "told", sharding: "told", quorum: "given" },
      chain: "told",
    });
  });

  it.each([
    { id: "an archiver's key", args: () => ["--archiver-key", archiver.publicKey], nodeList: "proved" },
    { id: "a node list that the archiver has signed", args: () => ["--trust-node-list", signedList] },
    {
      id: "a node list and the marker of the snapshot's record",
      args: () => ["--trust-node-list", unsignedList, "--trust-marker", markerOf(snapshotCycle)],
      chain: "told",
    },
    {
      id: "a node list and the marker of a later record",
      args: () => ["--trust-node-list", unsignedList, "--trust-marker", markerOf(12)],
    },
  ])("is proved by $id", async ({ args, nodeList = "given", chain = "confirms" }) => {
    expect(await verify(directory, ...args())).toEqual({
      status: 0,
      kinds: [],
      bases: { nodeList, cycle: "proved", sharding: "proved", quorum: "given" },
      chain,
    });
  });

  it("is unproved by the marker of an earlier record", async () => {
    const args = ["--trust-node-list", unsignedList, "--trust-marker", markerOf(snapshotCycle - 1)];
    expect(await verify(directory, ...args)).toMatchObject({ status: 7, kinds: ["unproved"] });
  });

  it("is unproved if proof is required and nothing is given", async () => {
    expect(await verify(directory, "--require", "proved")).toMatchObject({ status: 8, kinds: ["unproved"] });
  });

  it("is unproved by the key of another archiver", async () => {
    const verdict = await verify(directory, "--archiver-key", stranger.publicKey);
    expect(verdict).toMatchObject({ status: 8, kinds: ["chain", "node-list", "unproved"] });
  });

  it("needs no settings if each hash has a majority at every group size", async () => {
    const without = await forge(temporaryDirectory(), { netconfig: null, counting: toldCounting(5, 2) });
    const args = ["--trust-node-list", unsignedList, "--trust-marker", markerOf(12)];
    expect(await verify(without, ...args)).toMatchObject({ status: 0, bases: { sharding: "proved" } });
  });

  it("contradicts different settings of the auditor", async () => {
    const args = ["--nodes-per-consensus-group", "7", "--nodes-per-edge", "3"];
    expect(await verify(directory, ...args)).toMatchObject({ status: 6, kinds: ["sharding"] });
  });
});

describe("sharding settings that the directory invents", () => {
  const oneLiar = { partitions: [3], liars: [3], netconfig: null, records: silentChain };

  it("do not let one key forge its home partition", async () => {
    const directory = await forge(temporaryDirectory(), {
      ...oneLiar,
      counting: toldCounting(1, 4),
    });
    expect(await verify(directory)).toMatchObject({ status: 0, bases: { sharding: "told" } });
    const verdict = await verify(directory, "--trust-node-list", unsignedList);
    expect(verdict).toMatchObject({ kinds: ["unproved"], bases: { sharding: "told" } });
    expect(verdict.status).not.toBe(0);
  });

  it("are not proved by the statement that they are", async () => {
    const directory = await forge(temporaryDirectory(), { netconfig: null });
    expect(await verify(directory)).toMatchObject({ status: 6, kinds: ["sharding"] });
  });

  it("are not proved by a configuration with another hash", async () => {
    const config = { sharding: { nodesPerConsensusGroup: 1, nodesPerEdge: 4 } };
    const counting = {
      ...toldCounting(1, 4),
      sharding: { nodesPerConsensusGroup: 1, nodesPerEdge: 4, source: "proved" },
    };
    const directory = await forge(temporaryDirectory(), { netconfig: JSON.stringify({ config }), counting });
    const verdict = await verify(directory, "--archiver-key", archiver.publicKey);
    expect(verdict).toMatchObject({ status: 6, bases: { sharding: "proved" } });
    expect(verdict.kinds).toEqual(["sharding"]);
  });

  it("are proved no better than the record that they hash to", async () => {
    const config = { sharding: { nodesPerConsensusGroup: 1, nodesPerEdge: 4 } };
    const { hashText, canonicalText } = await import("../../src/index.ts");
    const configHash = hashText(canonicalText(JSON.stringify(config)));
    const directory = await forge(temporaryDirectory(), {
      partitions: [3],
      liars: [3],
      netconfig: JSON.stringify({ config }),
      counting: toldCounting(1, 4),
      records: rechained(silentChain, (record) => ({ ...record, networkConfigHash: configHash })),
      cyclesSigner: stranger,
    });
    for (const list of [unsignedList, signedList]) {
      const verdict = await verify(directory, "--trust-node-list", list);
      expect(verdict).toMatchObject({
        status: 7,
        kinds: ["unproved"],
        bases: { sharding: "told", cycle: "told" },
      });
    }
  });

  it("are contradicted by signed messages that list other partitions", async () => {
    const directory = await forge(temporaryDirectory(), { netconfig: null, counting: toldCounting(1, 0) });
    expect(await verify(directory)).toMatchObject({ status: 6, kinds: ["sharding"] });
  });

  it("of an older version are refused by name", async () => {
    const directory = await forge(temporaryDirectory(), {
      netconfig: null,
      counting: { consensusRadius: 2, storeRadius: 4, quorum: "majority" },
    });
    const { status, stderr } = await commandLine(["verify", directory]);
    expect(status).toBe(4);
    expect(stderr).toContain("written by an older version");
  });
});

describe("a quorum in the evidence", () => {
  it("does not lower what the auditor requires", async () => {
    const directory = await forge(temporaryDirectory(), {
      partitions: [3],
      liars: [2, 3],
      // Two liars and one honest node, all of which vote on partition 3.
      voters: [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14],
      records: silentChain,
      counting: toldCounting(5, 2, "popular"),
    });
    expect(await verify(directory)).toMatchObject({ status: 6, kinds: ["no-agreement"] });
    expect((await verifySnapshot(directory)).findings.map(({ kind }) => kind)).toEqual(["no-agreement"]);
    const verdict = await verify(directory, "--quorum", "popular");
    expect(verdict).toMatchObject({ status: 0, bases: { quorum: "given" } });
  });
});

describe("a cycle chain of an attacker", () => {
  const years = 3 * 365 * 24 * 3600;
  const moved = rechained(trueChain, (record) => ({ ...record, start: record.start + years }));
  const later = { records: moved, timestamp: timestamp + years * 1000 };

  it.each([
    { id: "unsigned", cyclesSigner: null },
    { id: "signed by another key", cyclesSigner: stranger },
  ])("cannot move the timestamp of the snapshot if it is $id", async ({ cyclesSigner }) => {
    const directory = await forge(temporaryDirectory(), { ...later, cyclesSigner });
    expect(await verify(directory)).toMatchObject({ status: 0, chain: "told", bases: { cycle: "told" } });
    for (const list of [unsignedList, signedList]) {
      const verdict = await verify(directory, "--trust-node-list", list);
      expect(verdict).toMatchObject({ status: 7, kinds: ["unproved"], chain: "told" });
    }
    const ofArchiver = await verify(directory, "--archiver-key", archiver.publicKey);
    expect(ofArchiver).toMatchObject({ status: 7, kinds: ["chain", "unproved"], chain: "told" });
    const ofMarker = await verify(directory, "--trust-marker", markerOf(12), "--trust-node-list", signedList);
    expect(ofMarker).toMatchObject({ status: 7, kinds: ["chain", "unproved"], chain: "told" });
  });

  it("is not reported as a proved record of the network hash", async () => {
    const directory = await forge(temporaryDirectory(), { ...later, cyclesSigner: null });
    const { stdout } = await commandLine(["verify", directory]);
    expect(stdout).toContain("named by cycle records that nothing proves");
    expect(stdout).toContain("cycle record  told only by the directory");
  });

  it("is not proved by a marker that it names without its record", async () => {
    const records = moved.map((record) =>
      record.counter === 12 ? { ...record, marker: markerOf(12) } : record,
    );
    const directory = await forge(temporaryDirectory(), { ...later, records, cyclesSigner: null });
    const args = ["--trust-node-list", signedList, "--trust-marker", markerOf(12)];
    expect(await verify(directory, ...args)).toMatchObject({ status: 7, bases: { cycle: "told" } });
  });

  it("is not proved across a record that was left out", async () => {
    const records = trueChain.filter(({ counter }) => counter !== 10);
    const directory = await forge(temporaryDirectory(), { records, cyclesSigner: null });
    const args = ["--trust-node-list", signedList, "--trust-marker", markerOf(12)];
    expect(await verify(directory, ...args)).toMatchObject({ status: 7, kinds: ["unproved"] });
  });

  it("is broken if a record is changed and its marker dropped", async () => {
    const records = trueChain.map((record) => {
      const { marker, ...rest } = record;
      return record.counter === 5 ? { ...rest, mode: "changed" } : { ...rest, marker };
    });
    const directory = await forge(temporaryDirectory(), { records, cyclesSigner: null });
    expect(await verify(directory)).toMatchObject({ status: 7, kinds: ["chain"] });
  });

  it("does not prove settings by a record whose marker was dropped", async () => {
    const records = trueChain.map((record) => {
      const { marker, ...rest } = record;
      return record.counter === snapshotCycle
        ? { ...rest, networkConfigHash: networkConfigHash.replace(/^./, "0") }
        : { ...rest, marker };
    });
    const directory = await forge(temporaryDirectory(), { records, cyclesSigner: null });
    expect(await verify(directory)).toMatchObject({ status: 7, kinds: ["chain", "sharding"] });
  });

  it("is a finding if it names another network hash", async () => {
    const directory = await forge(temporaryDirectory(), { records: chainOf("1".repeat(64)) });
    expect(await verify(directory)).toMatchObject({ status: 4, kinds: ["network-hash"] });
  });
});

describe("a mistake in the auditor's own node list", () => {
  const ownList = (change: (rows: { publicKey: string }[]) => unknown[]) => {
    const { nodeList } = JSON.parse(readFileSync(unsignedList, "utf8")) as {
      nodeList: { publicKey: string }[];
    };
    const path = join(temporaryDirectory(), "nodes.json");
    writeFileSync(path, JSON.stringify({ nodeList: change(nodeList) }));
    return path;
  };

  it("is not blamed on the directory if every row is unusable", async () => {
    const directory = await forge(temporaryDirectory());
    const list = ownList((rows) => rows.map((row) => ({ ...row, publicKey: row.publicKey.toUpperCase() })));
    const { status, stderr } = await commandLine(["verify", "--trust-node-list", list, directory]);
    expect(status).toBe(2);
    expect(stderr).toContain(`${list}: it has no node with an ID and a key`);
    expect(stderr).not.toContain("Do not use this snapshot");
  });

  it("is noted if it is one additional row", async () => {
    const directory = await forge(temporaryDirectory());
    const list = ownList((rows) => [...rows, { id: "none" }]);
    const args = ["--trust-node-list", list, "--trust-marker", markerOf(12), directory];
    const { status, stdout } = await commandLine(["verify", ...args]);
    expect(status).toBe(0);
    expect(stdout).toContain(`1 row of ${list} is left out`);
  });
});

it("--nodes-per-edge without --nodes-per-consensus-group is a usage error", async () => {
  const { status, summary } = await commandLine(["verify", "--json", "--nodes-per-edge", "2", "."]);
  expect(status).toBe(2);
  expect(summary()["error"]).toMatchObject({ code: "usage" });
});
