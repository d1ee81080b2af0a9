/** Finds the seeds of a run: those that the user names, and those in the output directory. */

import { basename, join } from "node:path";
import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { PARTIAL_FILE } from "../format/partial-info.ts";
import { snapshotName } from "../format/snapshot-names.ts";
import { statsOf } from "../store/own-files.ts";
import { partialPath, publishedPath, type SnapshotLocation, snapshotsIn } from "../store/snapshot-place.ts";
import type { Seed } from "./seed.ts";
import type { SeedSource } from "./seed-source.ts";
import { readPartialSeed, readSnapshotSeed } from "./snapshot-seed.ts";

/**
 * Returns the seeds of a snapshot, the newest first. Those that lack versions, and those after its moment, are last.
 *
 * @throws SnapshotError `configuration` if a seed that the user names cannot be used
 */
export async function findSeeds(sources: readonly SeedSource[], location: SnapshotLocation): Promise<Seed[]> {
  const seeds: Seed[] = [];
  for (const source of sources) {
    if (source.kind === "auto") seeds.push(...(await seedsIn(location)));
    else seeds.push(await namedSeed(source, location.timestamp));
  }
  const rank = ({ timestamp, lacks }: Seed) => {
    if (timestamp > location.timestamp) return 2;
    return lacks === "versions" ? 1 : 0;
  };
  return seeds.sort((a, b) => rank(a) - rank(b) || b.timestamp - a.timestamp);
}

async function namedSeed(
  { kind, path }: Exclude<SeedSource, { readonly kind: "auto" }>,
  timestamp: number,
): Promise<Seed> {
  try {
    if ((await statsOf(path)) === undefined) throw new Error("it does not exist");
    if (kind === "directory") return await readSeed(path, basename(path));
    // SQLite is loaded only where it is read.
    const { readArchiverSeed } = await import("./archiver-seed.ts");
    return await readArchiverSeed(path, timestamp);
  } catch (error) {
    throw new SnapshotError("configuration", `cannot use the seed ${path}: ${messageOf(error)}`, {
      cause: error,
      hint:
        kind === "archiver"
          ? "Give the accounts.sqlite3 of an archiver, or the folder that it is in, or leave out --seed."
          : "Give the directory of a published or a partial snapshot, or leave out --seed.",
    });
  }
}

/** Damaged snapshots are passed over: a run does not need seeds. */
async function seedsIn({ out, timestamp }: SnapshotLocation): Promise<Seed[]> {
  const { published, partial } = await snapshotsIn(out);
  const seeds: Seed[] = [];
  for (const time of partial) {
    if (time === timestamp) continue;
    const seed = await readPartialSeed(partialPath({ out, timestamp: time }), partialName(time)).catch(
      ignored,
    );
    if (seed !== undefined) seeds.push(seed);
  }
  for (const time of published.sort((a, b) => b - a)) {
    if (time >= timestamp) continue;
    const seed = await readSnapshotSeed(publishedPath({ out, timestamp: time }), snapshotName(time)).catch(
      ignored,
    );
    if (seed === undefined) continue;
    seeds.push(seed);
    break;
  }
  return seeds;
}

async function readSeed(path: string, name: string): Promise<Seed> {
  const isPartial = (await statsOf(join(path, PARTIAL_FILE))) !== undefined;
  return await (isPartial ? readPartialSeed(path, name) : readSnapshotSeed(path, name));
}

function ignored(): undefined {
  return undefined;
}

function partialName(timestamp: number): string {
  return `${snapshotName(timestamp)}.partial`;
}
