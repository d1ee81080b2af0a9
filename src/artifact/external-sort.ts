/**
 * Sorts the copies of a partition that arrived out of order by account ID, in constant memory: it writes sorted runs
 * of bounded size, and merges them.
 */

import { rm } from "node:fs/promises";
import { sortChunkBytes, sortFanInMax } from "../limits/disk.ts";
import type { HashHex } from "../protocol/brands.ts";
import { type ListEntry, readEntries } from "./list-entries.ts";
import { PreimageWriter } from "./preimage-writer.ts";

export interface SortedPartition {
  readonly writer: PreimageWriter;
  readonly hash: HashHex;
  /** Identical repetitions, which are dropped. */
  readonly duplicates: number;
  /** An account that appears twice with different content: sorting cannot correct this. */
  readonly conflict: string | undefined;
}

export interface SortBounds {
  /** Bytes of copies in one run. */
  readonly runBytes: number;
  /** Runs that are merged at the same time. */
  readonly fanIn: number;
}

/**
 * @param path a closed list of copies, which is not changed
 * @param sortedPath the file to write; its writer is returned closed
 */
export async function sortPartition(
  path: string,
  sortedPath: string,
  hashKey: string,
  { runBytes, fanIn }: SortBounds = { runBytes: sortChunkBytes, fanIn: sortFanInMax },
): Promise<SortedPartition> {
  const runs: string[] = [];
  try {
    await writeRuns(path, { sortedPath, hashKey, runBytes }, runs);
    for (let round = 0; runs.length > fanIn; round++) {
      const merged = `${sortedPath}.merged-${round}`;
      runs.push(merged);
      await mergeRuns(runs.slice(0, fanIn), merged, hashKey, "keep");
      runs.splice(0, fanIn);
    }
    return await mergeRuns(runs, sortedPath, hashKey, "drop");
  } catch (error) {
    // Useless files must not stay, especially on a full disk.
    await Promise.all([...runs, sortedPath].map((file) => rm(file, { force: true })));
    throw error;
  }
}

interface RunRules {
  readonly sortedPath: string;
  readonly hashKey: string;
  readonly runBytes: number;
}

/** @param runs each file is added before it is written */
async function writeRuns(
  path: string,
  { sortedPath, hashKey, runBytes }: RunRules,
  runs: string[],
): Promise<void> {
  let held: ListEntry[] = [];
  let heldBytes = 0;
  const writeRun = async () => {
    const run = `${sortedPath}.run-${runs.length}`;
    runs.push(run);
    held.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    await PreimageWriter.writeAll(
      run,
      hashKey,
      held.map(({ copy }) => copy),
    );
    held = [];
    heldBytes = 0;
  };
  for await (const entry of readEntries(path)) {
    held.push({ id: entry.id, copy: Buffer.from(entry.copy) });
    heldBytes += entry.copy.length;
    if (heldBytes >= runBytes) await writeRun();
  }
  await writeRun();
}

/** Merges sorted lists into one, and removes them. */
async function mergeRuns(
  runs: readonly string[],
  path: string,
  hashKey: string,
  duplicateCopies: "keep" | "drop",
): Promise<SortedPartition> {
  let duplicates = 0;
  let conflict: string | undefined;
  const copies = async function* () {
    let last: ListEntry | undefined;
    for await (const { id, copy } of inOrder(runs)) {
      if (duplicateCopies === "drop" && last?.id === id) {
        if (last.copy.equals(copy)) duplicates++;
        else conflict ??= id;
        continue;
      }
      yield copy;
      last = { id, copy: Buffer.from(copy) };
    }
  };
  const { writer, hash } = await PreimageWriter.writeAll(path, hashKey, copies());
  await Promise.all(runs.map((run) => rm(run, { force: true })));
  return { writer, hash, duplicates, conflict };
}

async function* inOrder(runs: readonly string[]): AsyncGenerator<ListEntry, void, void> {
  const readers = runs.map((run) => readEntries(run));
  try {
    const heads = await Promise.all(readers.map((reader) => reader.next()));
    for (;;) {
      let smallest = -1;
      let smallestId = "";
      for (const [index, head] of heads.entries()) {
        if (head.done !== true && (smallest < 0 || head.value.id < smallestId)) {
          smallest = index;
          smallestId = head.value.id;
        }
      }
      const head = heads[smallest];
      const reader = readers[smallest];
      if (head === undefined || head.done === true || reader === undefined) return;
      yield head.value;
      heads[smallest] = await reader.next();
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.return()));
  }
}
