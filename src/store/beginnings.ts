/**
 * What killed runs have received of partitions that they did not complete. The next run moves it out of the way of its own
 * responses, and continues it.
 */

import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { asPartition, type Partition } from "../protocol/brands.ts";
import { DIRECTORY_MODE, removeOwn, statsOf } from "./own-files.ts";

/** In the directory of a partial snapshot: what responses write, and what those of earlier runs have written. */
export const INCOMING_DIRECTORY = "incoming";
export const EARLIER_DIRECTORY = "earlier";

/** A partition of a response that gave it from its first account on. */
const whole = /^[0-9]{1,9}-(-1|[0-9]{1,5})\.whole\.json$/;
const kept = /^(-1|[0-9]{1,5})\.json$/;

/**
 * Keeps the longest beginning of each partition, and removes all other files of earlier responses. The caller has checked
 * that the directory belongs to this user.
 *
 * @throws the error of the file system
 */
export async function keepBeginnings(directory: string): Promise<void> {
  const [incoming, earlier] = [join(directory, INCOMING_DIRECTORY), join(directory, EARLIER_DIRECTORY)];
  const longest = new Map<Partition, { readonly path: string; readonly bytes: number }>();
  for (const [within, pattern] of [
    [earlier, kept],
    [incoming, whole],
  ] as const) {
    for (const { name, partition } of await namesIn(within, pattern)) {
      const path = join(within, name);
      const stats = await statsOf(path);
      if (stats?.isFile() !== true || stats.size <= (longest.get(partition)?.bytes ?? 0)) continue;
      longest.set(partition, { path, bytes: stats.size });
    }
  }
  if (longest.size > 0) await mkdir(earlier, { recursive: true, mode: DIRECTORY_MODE });
  for (const [partition, { path }] of longest) await rename(path, join(earlier, `${partition}.json`));
  await removeOwn(incoming);
}

/** Returns the kept beginnings, by partition. */
export async function beginningsIn(directory: string): Promise<Map<Partition, string>> {
  const earlier = join(directory, EARLIER_DIRECTORY);
  const names = await namesIn(earlier, kept);
  return new Map(names.map(({ name, partition }) => [partition, join(earlier, name)]));
}

async function namesIn(
  directory: string,
  pattern: RegExp,
): Promise<{ name: string; partition: Partition }[]> {
  if ((await statsOf(directory)) === undefined) return [];
  return (await readdir(directory)).flatMap((name) => {
    const digits = pattern.exec(name)?.[1];
    return digits === undefined ? [] : [{ name, partition: asPartition(Number(digits)) }];
  });
}
