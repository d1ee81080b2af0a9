/**
 * The index of a list of accounts by the time of their last change. The list, in order of address, is divided into blocks
 * of {@link blockPlaces} accounts; within a block, the entries are sorted by timestamp and place.
 *
 * A block without changes costs a query one small read; another one costs a bisection and its changed entries. The blocks
 * follow the order of addresses, so writing the index and reading changes in that order both need the memory of one block.
 */

/** A place within a block has 16 bits. */
export const blockPlaces = 2 ** 16;

/** The timestamp as a 64-bit number, then the place within the block. */
export const changeEntryBytes = 10;

/** Places in a list: `to` is exclusive. */
export interface PlaceRange {
  readonly from: number;
  readonly to: number;
}

/** Collects the timestamps of one block. */
export class ChangeBlock {
  #timestamps: number[] = [];

  get isFull(): boolean {
    return this.#timestamps.length === blockPlaces;
  }

  /** Must be called in ascending order of addresses. */
  add(timestampMs: number): void {
    this.#timestamps.push(timestampMs);
  }

  /** Returns the entries of the block, and begins the next block. */
  take(): Buffer {
    const timestamps = this.#timestamps;
    this.#timestamps = [];
    const places = Uint16Array.from(timestamps.keys());
    const timeOf = (place: number) => timestamps[place] ?? 0;
    places.sort((a, b) => timeOf(a) - timeOf(b) || a - b);
    const entries = Buffer.alloc(places.length * changeEntryBytes);
    for (const [rank, place] of places.entries()) {
      entries.writeDoubleBE(timeOf(place), rank * changeEntryBytes);
      entries.writeUInt16BE(place, rank * changeEntryBytes + 8);
    }
    return entries;
  }
}

/** Reads the entries from `from` up to but excluding `to`. */
export type ReadEntries = (from: number, to: number) => Buffer;

export class ChangeIndex {
  readonly #count: number;
  readonly #read: ReadEntries;

  /** @param count the number of accounts, and of entries */
  constructor(count: number, read: ReadEntries) {
    this.#count = count;
    this.#read = read;
  }

  /** Returns the index of a list in memory, which has {@link changeEntryBytes} bytes an account. */
  static of(timestampsMs: Iterable<number>): ChangeIndex {
    const blocks: Buffer[] = [];
    const block = new ChangeBlock();
    for (const timestampMs of timestampsMs) {
      block.add(timestampMs);
      if (block.isFull) blocks.push(block.take());
    }
    const entries = Buffer.concat([...blocks, block.take()]);
    const read: ReadEntries = (from, to) => entries.subarray(from * changeEntryBytes, to * changeEntryBytes);
    return new ChangeIndex(entries.length / changeEntryBytes, read);
  }

  /** Yields the places of a range whose accounts have a timestamp of at least `sinceMs`, ascending. */
  *places(sinceMs: number, range: PlaceRange): Generator<number, void, void> {
    for (const places of this.#blocks(sinceMs, range)) yield* places.sort();
  }

  /** Returns the number of places that {@link places} yields. */
  countOf(sinceMs: number, range: PlaceRange): number {
    let count = 0;
    for (const places of this.#blocks(sinceMs, range)) count += places.length;
    return count;
  }

  *#blocks(sinceMs: number, { from, to }: PlaceRange): Generator<Uint32Array, void, void> {
    if (from >= to) return;
    for (let first = from - (from % blockPlaces); first < to; first += blockPlaces) {
      const end = Math.min(first + blockPlaces, this.#count);
      const changed = this.#firstSince(sinceMs, first, end);
      if (changed === end) continue;
      const entries = this.#read(changed, end);
      const places = new Uint32Array(end - changed);
      let found = 0;
      for (let at = 8; at < entries.length; at += changeEntryBytes) {
        const place = first + entries.readUInt16BE(at);
        if (place >= from && place < to) places[found++] = place;
      }
      yield places.subarray(0, found);
    }
  }

  /** Returns the first entry of a block with a timestamp of at least `sinceMs`; `end` where there is none. */
  #firstSince(sinceMs: number, first: number, end: number): number {
    if (this.#timestampOf(end - 1) < sinceMs) return end;
    let low = first;
    let high = end - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timestampOf(middle) >= sinceMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #timestampOf(entry: number): number {
    return this.#read(entry, entry + 1).readDoubleBE(0);
  }
}
