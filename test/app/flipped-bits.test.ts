/** One bit of each kind of file of a published snapshot, white space included: `npm run flips` tries many more. */

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifySnapshot } from "../../src/app/verify.ts";
import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom, digestsIn } from "./run.ts";

type Compression = "none" | "gzip";

interface Damage {
  readonly file: string;
  readonly what: string;
  readonly change: (bytes: Buffer) => Buffer;
  readonly compression?: Compression;
  /** The partitions that are fetched again. */
  readonly partitions?: readonly number[];
}

/** @param bit of the byte that is found */
function flip(find: (bytes: Buffer) => number, bit = 0) {
  return (bytes: Buffer): Buffer => {
    const changed = Buffer.from(bytes);
    const at = find(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << bit);
    return changed;
  };
}

const middle = (bytes: Buffer) => bytes.length >> 1;
const lastByte = (bytes: Buffer) => bytes.length - 1;
const space = (bytes: Buffer) => bytes.indexOf(" ");

const computed: readonly Damage[] = [
  { file: "export-manifest.json", what: "white space", change: flip(space, 4) },
  { file: "export-data.jsonl", what: "its last line end", change: flip(lastByte) },
  { file: "run.json", what: "white space", change: flip(space, 4) },
  { file: "evidence/counting.json", what: "its middle", change: flip(middle) },
];

const damages: readonly Damage[] = [
  ...computed,
  { file: "evidence/netconfig.json", what: "its middle", change: flip(middle) },
  { file: "evidence/node-list.json", what: "its last byte", change: flip(lastByte) },
  { file: "evidence/cycles.json", what: "its first byte", change: flip(() => 0) },
  { file: "evidence/gossip.jsonl", what: "its middle", change: flip(middle, 7) },
  { file: "evidence/gossip.jsonl", what: "a line end", change: (bytes) => bytes.subarray(0, -1) },
  { file: "partition-00002.json", what: "its middle", change: flip(middle), partitions: [2] },
  {
    file: "partition-global.json",
    what: "a byte more",
    change: (b) => Buffer.concat([b, b]),
    partitions: [-1],
  },
  {
    file: "partition-00003.json.gz",
    what: "the time in its header",
    change: flip(() => 4),
    compression: "gzip",
    partitions: [3],
  },
];

let cluster: Cluster;
let scratch: string;
/** The directories of the undamaged snapshots. */
const published = new Map<Compression, string>();

beforeAll(async () => {
  scratch = makeTemporaryDirectory();
  cluster = await startCluster(smallFixture());
  for (const compression of ["none", "gzip"] as const) {
    const out = join(scratch, compression);
    published.set(compression, (await assembleFrom(cluster, { out, compression })).directory);
  }
});

afterAll(async () => {
  await cluster.stop();
  removeDirectory(scratch);
});

function damagedCopy(pristine: string, { file, change }: Damage) {
  const out = temporaryDirectory();
  const directory = join(out, basename(pristine));
  cpSync(pristine, directory, { recursive: true });
  const path = join(directory, file);
  writeFileSync(path, change(readFileSync(path)));
  return { out, directory };
}

/** All files except the record of the run. */
function keptFiles(directory: string): Map<string, string> {
  return new Map([...digestsIn(directory)].filter(([file]) => file !== "run.json"));
}

async function expectRepaired(directory: string, pristine: string): Promise<void> {
  expect(keptFiles(directory)).toEqual(keptFiles(pristine));
  expect((await verifySnapshot(directory)).findings).toEqual([]);
}

describe("a damaged byte", () => {
  it.each(damages)("of $file is found, reported and repaired: $what", async (damage) => {
    const { file, compression = "none", partitions = [] } = damage;
    const pristine = published.get(compression) ?? "";
    const { out, directory } = damagedCopy(pristine, damage);
    const { findings } = await verifySnapshot(directory);
    expect(findings.map((finding) => finding.file)).toContain(file);
    const again = await assembleFrom(cluster, { out, compression });
    expect(again.damage.map((one) => one.file)).toContain(file);
    expect(again.queries.flatMap((query) => query.partitions)).toEqual(partitions);
    await expectRepaired(directory, pristine);
  });

  it("is repaired without a server if the file is computed from others", async () => {
    const alone = await startCluster(smallFixture());
    const { directory: pristine } = await assembleFrom(alone, { out: join(scratch, "alone") });
    await alone.stop();
    const lists = {
      archiver: undefined,
      archiverKey: undefined,
      nodes: join(pristine, "evidence/node-list.json"),
      cycles: join(pristine, "evidence/cycles.json"),
    };
    for (const damage of computed) {
      const { out, directory } = damagedCopy(pristine, damage);
      expect((await assembleFrom(alone, { out, ...lists })).damage).not.toEqual([]);
      await expectRepaired(directory, pristine);
    }
  });
});
