import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { AssembleResult } from "../../src/app/assemble.ts";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import { olderFixture } from "../../src/testnet/cluster/fixture.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom, comparedFiles } from "./run.ts";

/** What the changed state of a network depends on: runs of the same state share their snapshots. */
interface State {
  readonly nodes?: number;
  readonly sinceNodes?: number;
  readonly changed?: number;
  readonly deleted?: number;
}

interface Shape extends State {
  readonly faults?: readonly string[];
}

const accounts = 900;
const noFaults: readonly string[] = [];

function changedFixture({
  nodes = 9,
  sinceNodes = 9,
  changed = 0.05,
  deleted = 0,
  faults = noFaults,
}: Shape) {
  const changes = { sinceCycle: 7, sinceNodes, seed: "later", changed, created: changed / 5, deleted };
  return smallFixture({ nodes, accounts, globalAccounts: 50, changes, faults: [...faults] });
}

/** Snapshots of honest validators. */
interface Snapshots {
  readonly older: AssembleResult;
  /** The newer snapshot, all of it fetched. */
  readonly whole: AssembleResult;
  /** The validators of the newer state. */
  readonly honest: Cluster;
}

interface Runs extends Omit<Snapshots, "honest"> {
  /** The validators of the test: the newer state, with the faults. */
  readonly newer: Cluster;
  /** Contains a copy of the older snapshot. */
  readonly out: string;
}

const scratch = makeTemporaryDirectory();
const snapshots = new Map<string, Promise<Snapshots>>();

afterAll(async () => {
  const started = await Promise.allSettled(snapshots.values());
  await Promise.all(started.map((state) => state.status === "fulfilled" && state.value.honest.stop()));
  removeDirectory(scratch);
});

/** Returns the snapshots of a state, which the first test with it assembles. */
function snapshotsOf({ faults: _faults, ...state }: Shape): Promise<Snapshots> {
  const key = JSON.stringify(state);
  const known = snapshots.get(key) ?? assembleSnapshots(state, join(scratch, String(snapshots.size)));
  snapshots.set(key, known);
  return known;
}

async function assembleSnapshots(state: State, directory: string): Promise<Snapshots> {
  const fixture = changedFixture(state);
  const olderCluster = await startCluster(olderFixture(fixture));
  const older = await assembleFrom(olderCluster, { out: join(directory, "older") }).finally(() =>
    olderCluster.stop(),
  );
  const honest = await startCluster(fixture);
  try {
    const whole = await assembleFrom(honest, { out: join(directory, "whole"), seed: ["none"] });
    return { older, whole, honest };
  } catch (error) {
    await honest.stop();
    throw error;
  }
}

/** Runs a test with a copy of the older snapshot, the newer one, and the validators of a shape. */
async function withSnapshots(shape: Shape, test: (runs: Runs) => Promise<void>): Promise<void> {
  const { older, whole, honest } = await snapshotsOf(shape);
  const out = temporaryDirectory();
  const directory = join(out, basename(older.directory));
  cpSync(older.directory, directory, { recursive: true });
  const isHonest = shape.faults === undefined;
  const newer = isHonest ? honest : await startCluster(changedFixture(shape));
  try {
    await test({ older: { ...older, directory }, whole, newer, out });
  } finally {
    if (!isHonest) await newer.stop();
  }
}

/** Assembles the newer snapshot, which must be the same byte for byte as one without a seed. */
async function assembleSame(
  { newer, whole, out }: Runs,
  options: Partial<AssembleOptions> = {},
): Promise<AssembleResult> {
  const result = await assembleFrom(newer, { out, ...options });
  expect(comparedFiles(result.directory)).toEqual(comparedFiles(whole.directory));
  expect((await verifySnapshot(result.directory)).findings).toEqual([]);
  return result;
}

describe("a snapshot that an older one seeds", () => {
  it.each([
    { id: "as many nodes", shape: {} },
    { id: "one node more", shape: { nodes: 10 } },
    { id: "a tenth fewer nodes", shape: { nodes: 18, sinceNodes: 20 } },
    { id: "validators that do not know deltas", shape: { faults: ["*:no-delta"] }, isDelta: false },
    { id: "validators that send deltas unordered", shape: { faults: ["*:unsorted"] } },
  ])("is the same as one that was fetched whole, with $id", async ({ shape, isDelta = true }) => {
    await withSnapshots(shape, async (runs) => {
      const result = await assembleSame(runs);
      expect(result.offences).toEqual([]);
      if (isDelta) expect(result.bytes.received).toBeLessThan(0.2 * runs.whole.bytes.received);
      else expect(result.bytes.received).toBeLessThan(1.2 * runs.whole.bytes.received);
    });
  });

  it.each([
    { id: "leaves out a change", fault: "omit-changes" },
    { id: "changes an account in deltas", fault: "false-delta" },
    { id: "sends everything as a delta, and changes an account", fault: "whole-delta" },
    { id: "sends earlier versions", fault: "stale-delta" },
    { id: "sends nothing", fault: "empty-delta" },
  ])("is the same with validators of which each $id, and nobody is blamed", async ({ fault }) => {
    await withSnapshots({ faults: [`*:${fault}`] }, async (runs) => {
      const result = await assembleSame(runs);
      expect(result.offences).toEqual([]);
      expect(result.bytes.received).toBeLessThan(2.1 * runs.whole.bytes.received);
    });
  });

  it("is fetched whole where accounts were deleted, which no delta shows", async () => {
    await withSnapshots({ deleted: 0.02 }, async (runs) => {
      expect((await assembleSame(runs)).offences).toEqual([]);
    });
  });

  it("takes no request for accounts if nothing has changed, also with other partitions", async () => {
    for (const nodes of [9, 10]) {
      await withSnapshots({ nodes, changed: 0 }, async (runs) => {
        const { queries, bytes } = await assembleSame(runs);
        expect(queries).toEqual([]);
        expect(bytes.received).toBe(0);
      });
    }
  });

  it("is compressed or not, whatever its seed is", async () => {
    await withSnapshots({}, async ({ newer, whole, older }) => {
      const compressed = await assembleFrom(newer, { compression: "gzip", seed: [older.directory] });
      const full = await assembleFrom(newer, { compression: "gzip", seed: ["none"] });
      expect(comparedFiles(compressed.directory)).toEqual(comparedFiles(full.directory));
      expect(compressed.bytes.received).toBeLessThan(0.2 * whole.bytes.received);
      const plain = await assembleFrom(newer, { seed: [compressed.directory] });
      expect(comparedFiles(plain.directory)).toEqual(comparedFiles(whole.directory));
      expect(plain.queries).toEqual([]);
    });
  });
});

describe("a poisoned seed", () => {
  const artifact = "partition-00003.json";
  const edit = (change: (text: string) => string) => (directory: string) => {
    const path = join(directory, artifact);
    writeFileSync(path, change(readFileSync(path, "utf8")));
  };
  const records = (text: string) => text.slice(1, -1).split(/,(?=\{"accountId")/);
  const listOf = (copies: readonly string[]) => `[${copies.join(",")}]`;

  it.each([
    { id: "a changed account", poison: edit((text) => text.replace('"isGlobal":0', '"isGlobal":1')) },
    { id: "a missing account", poison: edit((text) => listOf(records(text).slice(1))) },
    {
      id: "a repeated account",
      poison: edit((text) =>
        listOf(records(text).flatMap((copy, index) => (index === 5 ? [copy, copy] : copy))),
      ),
    },
    { id: "accounts out of order", poison: edit((text) => listOf(records(text).reverse())) },
    {
      id: "timestamps in the future",
      poison: edit((text) => text.replace(/"timestamp":1/g, '"timestamp":9')),
    },
    { id: "a truncated artifact", poison: edit((text) => text.slice(0, text.length / 2)) },
    { id: "text that is not a list", poison: edit(() => "\0".repeat(100_000)) },
    { id: "a missing artifact", poison: (directory: string) => rmSync(join(directory, artifact)) },
    {
      id: "a directory in place of an artifact",
      poison: (directory: string) => {
        rmSync(join(directory, artifact));
        cpSync(join(directory, "evidence"), join(directory, artifact), { recursive: true });
      },
    },
    {
      id: "the artifact of another partition",
      poison: (directory: string) =>
        cpSync(join(directory, "partition-00004.json"), join(directory, artifact)),
    },
  ])("with $id never gives another snapshot, and costs at most what it touches", async ({ poison }) => {
    await withSnapshots({}, async (runs) => {
      poison(runs.older.directory);
      const result = await assembleSame(runs);
      expect(result.offences).toEqual([]);
      // A ninth is touched, and all deltas are received.
      expect(result.bytes.received).toBeLessThan(0.4 * runs.whole.bytes.received);
    });
  });
});
