/** One cause ends every command with the same status, whether a run meets it or `verify` finds it in the evidence. */

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CYCLES_FILE } from "../../src/format/evidence/cycles.ts";
import { NODE_LIST_FILE } from "../../src/format/evidence/node-list.ts";
import { readRunRecord, runRecordText } from "../../src/format/run-record.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { cycleMarker } from "../../src/protocol/cycle-record.ts";
import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import { assembleFrom } from "../app/run.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";
import { commandLine } from "./command-line.ts";

type Row = Record<string, unknown>;
interface Lists {
  readonly nodes: Row & { readonly nodeList: Row[] };
  readonly cycles: Row & { readonly cycleInfo: Row[] };
}

let cluster: Cluster;
let out: string;
let published: string;
beforeAll(async () => {
  cluster = await startCluster(smallFixture());
  out = makeTemporaryDirectory();
  published = (await assembleFrom(cluster, { out })).directory;
});
afterAll(async () => {
  await cluster.stop();
  removeDirectory(out);
});

const records = (change: (rows: Row[]) => Row[]) => (lists: Lists) => ({
  ...lists,
  cycles: { cycleInfo: change(lists.cycles.cycleInfo.toSorted(byCounter)) },
});
const byCounter = (a: Row, b: Row) => Number(a["counter"]) - Number(b["counter"]);

function rechained(rows: Row[]): Row[] {
  let previous: unknown;
  return rows.map(({ marker: _, ...row }) => {
    const changed = previous === undefined ? row : { ...row, previous };
    previous = cycleMarker(changed);
    return { ...changed, marker: previous };
  });
}

const otherNetworkHash = (rows: Row[]) =>
  rows.map((row) => {
    const named = row["networkDataHash"] as Row[];
    return { ...row, networkDataHash: named.map((entry) => ({ ...entry, hash: "1".repeat(64) })) };
  });

interface Cause {
  readonly id: string;
  readonly lists: (lists: Lists) => object;
  readonly args?: readonly string[];
  readonly status: number;
  /** The status of `plan` and `collect`, which read no votes. */
  readonly withoutVotes?: number;
}

const isOfSnapshot = ({ counter }: Row) => counter === cluster.snapshotCycle;

const causes: Cause[] = [
  {
    id: "an unbroken chain that records another network hash",
    lists: records((rows) => rechained(otherNetworkHash(rows))),
    status: 4,
    withoutVotes: 0,
  },
  {
    id: "a record that does not have its marker",
    lists: records((rows) => rows.map((row) => (isOfSnapshot(row) ? { ...row, mode: "changed" } : row))),
    status: 7,
  },
  {
    id: "records that do not have their markers and record another network hash",
    lists: records(otherNetworkHash),
    status: 7,
  },
  {
    id: "a fork",
    lists: records((rows) =>
      rows.flatMap((row) => {
        const other = { ...row, mode: "changed" };
        return isOfSnapshot(row)
          ? [row, { ...other, marker: cycleMarker({ ...other, marker: undefined }) }]
          : [row];
      }),
    ),
    status: 7,
  },
  {
    id: "a chain without the record of the snapshot's cycle",
    lists: records((rows) => rows.filter((row) => !isOfSnapshot(row))),
    status: 7,
  },
  {
    id: "cycle records with an invalid signature",
    lists: (lists) => ({ ...lists, cycles: { ...lists.cycles, more: 1 } }),
    status: 7,
  },
  {
    id: "a node list with an invalid signature",
    lists: (lists) => ({ ...lists, nodes: { ...lists.nodes, more: 1 } }),
    status: 8,
  },
  {
    id: "lists that another archiver has signed",
    lists: (lists) => lists,
    args: ["--archiver-key", "00".repeat(32)],
    status: 8,
  },
  {
    id: "unsigned cycle records if the archiver's key is given",
    lists: records((rows) => rows),
    args: ["--archiver-key", "KEY"],
    status: 7,
  },
  {
    id: "a node list with fewer nodes than the chain counts",
    lists: ({ nodes, ...lists }) => ({ ...lists, nodes: { nodeList: nodes.nodeList.slice(1) } }),
    status: 8,
    withoutVotes: 8,
  },
];

describe.each(causes)("$id", ({ lists, args = [], status, withoutVotes = status }) => {
  const read = (file: string) => JSON.parse(readFileSync(join(published, file), "utf8"));
  const changed = () => {
    const [nodes, cycles] = [read(NODE_LIST_FILE), read(CYCLES_FILE)];
    return lists({ nodes, cycles }) as Lists;
  };
  const keyArgs = () => args.map((arg) => (arg === "KEY" ? cluster.archiverPublicKey : arg));

  /** The arguments that give the lists as files. */
  const fileArgs = () => {
    const directory = temporaryDirectory();
    const { nodes, cycles } = changed();
    const paths = { nodes: join(directory, "nodes.json"), cycles: join(directory, "cycles.json") };
    writeFileSync(paths.nodes, JSON.stringify(nodes));
    writeFileSync(paths.cycles, JSON.stringify(cycles));
    return ["--nodes", paths.nodes, "--cycles", paths.cycles, ...keyArgs()];
  };

  it(`ends the main job with ${status}`, async () => {
    const time = ["--timestamp", `cycle:${cluster.snapshotCycle}`, "--out", temporaryDirectory()];
    const ended = await commandLine([...fileArgs(), ...time]);
    expect(ended.status, ended.stderr).toBe(status);
  });

  it(`ends plan with ${withoutVotes}`, async () => {
    const ended = await commandLine(["plan", ...fileArgs(), "--timestamp", `cycle:${cluster.snapshotCycle}`]);
    expect(ended.status, ended.stderr).toBe(withoutVotes);
  });

  it(`ends verify with ${status}`, async () => {
    const directory = join(temporaryDirectory(), "forged");
    cpSync(published, directory, { recursive: true });
    const { nodes, cycles } = changed();
    const texts = { [NODE_LIST_FILE]: JSON.stringify(nodes), [CYCLES_FILE]: JSON.stringify(cycles) };
    for (const [file, text] of Object.entries(texts)) writeFileSync(join(directory, file), text);
    // A new run record lists the changed file, so no file looks damaged.
    const run = readFileSync(join(directory, "run.json"), "utf8");
    const hashes = Object.entries(texts).map(([file, text]) => [file, hashText(text)]);
    const files = { ...readRunRecord(run, DEFAULT_HASH_KEY), ...Object.fromEntries(hashes) };
    const { files: _files, hash: _hash, ...record } = JSON.parse(run) as Row;
    writeFileSync(join(directory, "run.json"), runRecordText(record, files, DEFAULT_HASH_KEY));
    const ended = await commandLine(["verify", directory, ...keyArgs()]);
    expect(ended.status, ended.stderr).toBe(status);
  });
});

describe("the collect command", () => {
  const brokenFor = (change: (lists: Lists) => object) => {
    const directory = temporaryDirectory();
    const read = (file: string) => JSON.parse(readFileSync(join(published, file), "utf8"));
    const { nodes, cycles } = change({ nodes: read(NODE_LIST_FILE), cycles: read(CYCLES_FILE) }) as Lists;
    writeFileSync(join(directory, "nodes.json"), JSON.stringify(nodes));
    writeFileSync(join(directory, "cycles.json"), JSON.stringify(cycles));
    const files = ["--nodes", join(directory, "nodes.json"), "--cycles", join(directory, "cycles.json")];
    return ["collect", ...files, "--listen", "127.0.0.1:0", "--hash-db", join(directory, "hashes.sqlite")];
  };

  it.each([
    { id: "a broken chain", change: records(otherNetworkHash), status: 7 },
    {
      id: "a node list with an invalid signature",
      change: (lists: Lists) => ({ ...lists, nodes: { ...lists.nodes, more: 1 } }),
      status: 8,
    },
  ])("ends with $status for $id", async ({ change, status }) => {
    const ended = await commandLine(brokenFor(change));
    expect(ended.status, ended.stderr).toBe(status);
  });
});
