/** The description of a static cluster, as a file of `fixtures/`, with the expected result of a run. */

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import { asCycle, asPartition } from "../../protocol/brands.ts";
import * as z from "../../wire/schema.ts";
import { parseFault } from "../faults/faults.ts";

const hex64 = z.string().regex(/^[0-9a-f]{64}$/, "not 64 lower-case hex digits");
const count = z.int().nonnegative();
const nodes = z.int().min(1).max(2000);
const share = z.number().min(0).max(1).default(0);

const faultText = z.string().transform((text, context) => {
  try {
    return parseFault(text);
  } catch (error) {
    context.addIssue(messageOf(error));
    return z.NEVER;
  }
});

const expectSchema = z
  .strictObject({
    exitStatus: z.int().min(0).max(255),
    /** Of the published snapshot: required for exit status 0, and not permitted otherwise. */
    networkHash: hex64.optional(),
    digest: hex64.optional(),
    errorCode: z.string().optional(),
    /** Indices of nodes that the offences must name. They must never name an honest node. */
    offenders: z.array(count).default([]),
  })
  .refine((expect) => (expect.exitStatus === 0) === (expect.networkHash !== undefined), {
    path: ["networkHash"],
    message: "required for exitStatus 0, and not permitted otherwise",
  })
  .refine((expect) => (expect.exitStatus === 0) === (expect.digest !== undefined), {
    path: ["digest"],
    message: "required for exitStatus 0, and not permitted otherwise",
  });

const fixtureSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "not lower-case words with hyphens"),
    description: z.string().min(1),
    seed: z.string().min(1),
    nodes,
    nodesPerConsensusGroup: z.int().min(1),
    nodesPerEdge: count,
    accounts: count.max(100_000_000),
    /** The approximate bytes of an account's data. */
    accountBytes: z.int().min(16).max(4_000_000).default(300),
    globalAccounts: count.max(10_000_000).default(0),
    emptyPartitions: z.array(count.transform(asPartition)).default([]),
    /**
     * The state is a later one of the accounts that the other fields describe: see {@link olderFixture}. `changed`,
     * `created` and `deleted` are shares of these accounts.
     */
    changes: z
      .strictObject({
        /** The accounts are those of the snapshot at the end of this cycle. */
        sinceCycle: count.transform(asCycle),
        /** The nodes of that cycle; by default as many as now. */
        sinceNodes: nodes.optional(),
        seed: z.string().min(1),
        changed: share,
        created: share,
        deleted: share,
      })
      .optional(),
    /** A network without account copies gossips the hash of an empty partition for every partition. */
    accountCopies: z.boolean().default(true),
    /** Whether cycle records name the hash of the network's configuration, which proves the sharding settings. */
    networkConfigHash: z.boolean().default(true),
    /** The number of records in the chain. */
    cycles: z.int().min(2).max(10_000),
    /** Seconds. */
    cycleDuration: z.int().min(1),
    /** The snapshot is the state at the end of this cycle. */
    snapshotCycle: count.transform(asCycle),
    /** `<node>:<fault>` or `<node>:<fault>=<value>`; `*` stands for all nodes. */
    faults: z.array(faultText).default([]),
    /** Further arguments of the command line when the fixture is verified. */
    arguments: z.array(z.string()).default([]),
    expect: expectSchema,
  })
  .check(({ value, issues }) => {
    const addProblem = (path: string, message: string) =>
      issues.push({ code: "custom", path: [path], message, input: value });
    if (value.snapshotCycle + 2 > value.cycles) {
      addProblem(
        "snapshotCycle",
        `needs the record of cycle ${value.snapshotCycle + 1}, but cycles is ${value.cycles}`,
      );
    }
    if (value.changes !== undefined && value.changes.sinceCycle >= value.snapshotCycle) {
      addProblem("changes", `sinceCycle ${value.changes.sinceCycle} is not before the snapshot's cycle`);
    }
    const stateNodes = value.changes?.sinceNodes ?? value.nodes;
    for (const partition of value.emptyPartitions) {
      if (partition >= stateNodes) addProblem("emptyPartitions", `unknown partition ${partition}`);
    }
    const filled = stateNodes - new Set(value.emptyPartitions).size;
    if (value.accounts > 0 && filled === 0) {
      addProblem("emptyPartitions", "no partition is left for the accounts");
    }
    // Each account has a unique prefix (see `addressAt` of the state).
    if (value.accounts / filled > 2 ** 31 / stateNodes) addProblem("accounts", "too many for the partitions");
    for (const { node, name, kind } of value.faults) {
      if (kind.isLiveOnly === true) addProblem("faults", `${node}:${name}: only a live cluster supports it`);
      if (node !== "*" && node >= value.nodes) addProblem("faults", `${node}:${name}: unknown node ${node}`);
    }
  });

export type Fixture = z.output<typeof fixtureSchema>;

/**
 * Returns the cluster of the snapshot on which a fixture's `changes` are based: the same seed and accounts, at the end of
 * `sinceCycle`. It has no faults, and its result is not known.
 */
export function olderFixture({ changes, ...fixture }: Fixture): Fixture {
  if (changes === undefined) throw new TypeError(`fixture ${fixture.name} has no changes`);
  const { sinceCycle: snapshotCycle, sinceNodes = fixture.nodes } = changes;
  const name = `${fixture.name}-older`;
  return { ...fixture, name, nodes: sinceNodes, snapshotCycle, faults: [] };
}

/** The same path from `src/` and from `dist/`. */
const fixturesDirectory = new URL("../../../fixtures/", import.meta.url);

/**
 * @param nameOrPath the name of a fixture of the package; a text with a slash or the ending `.json` is a path
 * @throws SnapshotError `usage` where the fixture does not exist, `configuration` where it is invalid
 */
export async function loadFixture(nameOrPath: string): Promise<Fixture> {
  const isPath = nameOrPath.includes("/") || extname(nameOrPath) === ".json";
  const path = isPath ? nameOrPath : fileURLToPath(new URL(`${nameOrPath}.json`, fixturesDirectory));
  let text: string;
  try {
    // A read of a pipe or a device may never end.
    if (!(await stat(path)).isFile()) throw new Error("not a regular file");
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new SnapshotError("usage", `no fixture ${isPath ? `at ${path}` : `is named ${nameOrPath}`}`, {
      hint: `Use one of ${(await fixtureNames()).join(", ")}, or the path of a JSON file.`,
      cause,
    });
  }
  return parseFixture(text, basename(path));
}

/** @param fileName for error messages */
export function parseFixture(text: string, fileName: string): Fixture {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SnapshotError("configuration", `fixture ${fileName} is not JSON: ${messageOf(cause)}`, {
      cause,
    });
  }
  const parsed = fixtureSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  );
  throw new SnapshotError("configuration", `fixture ${fileName}: ${problems.join("; ")}`);
}

/** The names of the package's fixtures, in order. */
export async function fixtureNames(): Promise<string[]> {
  const files = await readdir(fixturesDirectory);
  return files
    .filter((file) => extname(file) === ".json")
    .map((file) => basename(file, ".json"))
    .sort();
}
