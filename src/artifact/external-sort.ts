/**
 * Puts the copies of a partition that came out of order into ascending order of account ID, in constant
 * memory: sorted runs, each as large as may be held, which are then merged.
 */

import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { RecordFramer } from "../canonical/record-framer.ts";
import { diskError, SnapshotError } from "../errors/snapshot-error.ts";
import { sortChunkBytes, sortFanInMax } from "../limits/disk.ts";
import { recordBytesMax } from "../limits/response.ts";
import { COPY_PREFIX } from "../protocol/account-copy.ts";
import { ADDRESS_DIGITS } from "../protocol/address.ts";
import { PreimageWriter } from "./preimage-writer.ts";

export interface SortedPartition {
  readonly writer: PreimageWriter;
  readonly hash: string;
  /** Copies that were there twice, identically, and are written once. */
  readonly duplicates: number;
  /** An account that is there twice with different content: no order can make this right. */
  readonly conflict: string | undefined;
}

interface Entry {
  readonly id: string;
  readonly copy: Buffer;
}

/** A copy has each quote of its data escaped, and escaped again where the data was text. */
const COPY_BYTES_MAX = 8 * recordBytesMax;

/**
 * @param path a closed list of copies; it is left as it is
 * @param sortedPath where the sorted list goes, which is returned closed
 */
export async function sortPartition(
  path: string,
  sortedPath: string,
  hashKey: string,
): Promise<SortedPartition> {
  const runs: string[] = [];
  try {
    await writeRuns(path, sortedPath, hashKey, runs);
    for (let round = 0; runs.length > sortFanInMax; round++) {
      const merged = `${sortedPath}.merged-${round}`;
      runs.push(merged);
      await mergeRuns(runs.slice(0, sortFanInMax), merged, hashKey, "keep");
      runs.splice(0, sortFanInMax);
    }
    return await mergeRuns(runs, sortedPath, hashKey, "drop");
  } catch (error) {
    // On a full disk, most of all, what is of no use any more must not stay.
    await Promise.all([...runs, sortedPath].map((file) => rm(file, { force: true })));
    throw error;
  }
}

/** @param runs is told of each file before it is written */
async function writeRuns(path: string, sortedPath: string, hashKey: string, runs: string[]): Promise<void> {
  let held: Entry[] = [];
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
    if (heldBytes >= sortChunkBytes) await writeRun();
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
    let last: Entry | undefined;
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

async function* inOrder(runs: readonly string[]): AsyncGenerator<Entry, void, void> {
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

/** The copies of a list file. An entry's memory is good until the next one is asked for. */
async function* readEntries(path: string): AsyncGenerator<Entry, void, void> {
  const framer = new RecordFramer(undefined, { recordBytesMax: COPY_BYTES_MAX });
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      for (const copy of framer.push(chunk)) {
        const id = copy.toString("latin1", COPY_PREFIX.length, COPY_PREFIX.length + ADDRESS_DIGITS);
        yield { id, copy };
      }
    }
  } catch (error) {
    throw error instanceof SnapshotError ? error : diskError(`cannot read ${path}`, error);
  }
}
