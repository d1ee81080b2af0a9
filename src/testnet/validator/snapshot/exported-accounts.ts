/** The accounts of a published export, which `/snapshot` serves: found by the indexes, and read from the artifacts. */

import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { artifactFile } from "../../../format/artifact.ts";
import type { WrappedData } from "../../../protocol/account-copy.ts";
import type { HashHex, Partition } from "../../../protocol/brands.ts";
import { GLOBAL_PARTITION } from "../../../protocol/shard.ts";
import type { Selection } from "../../../wire/snapshot-request.ts";
import { type AccountSource, mergedByAddress } from "../state/account-source.ts";
import type { PlaceRange } from "../state/change-index.ts";
import { ChangeFileReader, changeFile } from "./change-file.ts";
import { type IndexEntry, IndexReader, indexFile, indexPageEntries } from "./export-index.ts";

interface AccountCopy {
  readonly accountId: string;
  /** Text, also of other values. */
  readonly data: string;
  readonly hash: HashHex;
  readonly isGlobal: 0 | 1;
  readonly timestamp: number;
}

export class ExportedAccounts implements AccountSource {
  readonly #directory: string;
  /** Ascending, without the global partition. */
  readonly #partitions: readonly Partition[];
  #holders = 0;
  #onReleased: () => void = () => undefined;

  /** @param partitions the partitions of the export, ascending */
  constructor(directory: string, partitions: readonly Partition[]) {
    this.#directory = directory;
    this.#partitions = partitions.filter((partition) => partition !== GLOBAL_PARTITION);
  }

  /** Keeps the files until the returned function is called, even where the export is dropped meanwhile. */
  hold(): () => void {
    this.#holders++;
    return () => {
      if (--this.#holders === 0) this.#onReleased();
    };
  }

  /** Resolves when no response holds the files. */
  async released(): Promise<void> {
    if (this.#holders === 0) return;
    await new Promise<void>((resolve) => {
      this.#onReleased = resolve;
    });
  }

  select(selection: Selection): Iterable<WrappedData> {
    return mergedByAddress(this.#local(selection), this.#accounts(GLOBAL_PARTITION, selection));
  }

  count(selection: Selection): number {
    let count = 0;
    for (const partition of [...this.#partitions, GLOBAL_PARTITION]) {
      if (!isSelected(partition, selection)) continue;
      const index = this.#index(partition);
      const range = rangeOf(index, selection);
      index.close();
      count += this.#countIn(partition, range, selection);
    }
    return count;
  }

  *#local(selection: Selection): Generator<WrappedData, void, void> {
    for (const partition of this.#partitions) yield* this.#accounts(partition, selection);
  }

  /** Reads the accounts one by one and synchronously: they are usually cached by the system. */
  *#accounts(partition: Partition, selection: Selection): Generator<WrappedData, void, void> {
    if (!isSelected(partition, selection)) return;
    const index = this.#index(partition);
    const artifact = openSync(this.#path(partition), "r");
    try {
      for (const { offset, bytes, isText } of this.#entries(partition, index, selection)) {
        const copy = Buffer.alloc(bytes);
        readSync(artifact, copy, 0, bytes, offset);
        yield wrapped(JSON.parse(copy.toString("utf8")) as AccountCopy, isText);
      }
    } finally {
      closeSync(artifact);
      index.close();
    }
  }

  /** Yields the index entries of the selected accounts, ascending. */
  *#entries(
    partition: Partition,
    index: IndexReader,
    selection: Selection,
  ): Generator<IndexEntry, void, void> {
    const range = rangeOf(index, selection);
    if (selection.changedSince === undefined) {
      for (let place = range.from; place < range.to; place += indexPageEntries) {
        yield* index.entries(place, Math.min(range.to, place + indexPageEntries));
      }
      return;
    }
    const changes = this.#changes(partition);
    try {
      for (const place of changes.index.places(selection.changedSince, range)) {
        yield* index.entries(place, place + 1);
      }
    } finally {
      changes.close();
    }
  }

  #countIn(partition: Partition, range: PlaceRange, { changedSince }: Selection): number {
    if (changedSince === undefined) return range.to - range.from;
    const changes = this.#changes(partition);
    try {
      return changes.index.countOf(changedSince, range);
    } finally {
      changes.close();
    }
  }

  #changes(partition: Partition): ChangeFileReader {
    return new ChangeFileReader(changeFile(this.#path(partition)));
  }

  #index(partition: Partition): IndexReader {
    return new IndexReader(indexFile(this.#path(partition)));
  }

  #path(partition: Partition): string {
    return join(this.#directory, artifactFile(partition, "none"));
  }
}

function isSelected(partition: Partition, { isGlobal }: Selection): boolean {
  return isGlobal === undefined || isGlobal === (partition === GLOBAL_PARTITION);
}

function rangeOf(index: IndexReader, { accountStart, accountEnd }: Selection): PlaceRange {
  return { from: index.placeOf(accountStart, false), to: index.placeOf(accountEnd, true) };
}

/** Returns the account in wire form (PROTOCOL.md, Partial snapshots). */
function wrapped({ accountId, data, hash, isGlobal, timestamp }: AccountCopy, isText: boolean): WrappedData {
  return {
    accountId,
    stateId: hash,
    data: isText ? data : (JSON.parse(data) as unknown),
    timestamp,
    syncData: { isGlobal: isGlobal === 1 },
  };
}
