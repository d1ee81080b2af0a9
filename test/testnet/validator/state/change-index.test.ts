import fc from "fast-check";
import { expect, it } from "vitest";
import {
  blockPlaces,
  ChangeBlock,
  ChangeIndex,
  changeEntryBytes,
} from "../../../../src/testnet/validator/state/change-index.ts";
import { seeded } from "../../../helpers/seeded.ts";

const hour = 3_600_000;

/** The index of many blocks, which counts what is read. */
function countedIndex(timestamps: readonly number[]) {
  const block = new ChangeBlock();
  const blocks: Buffer[] = [];
  for (const timestamp of timestamps) {
    block.add(timestamp);
    if (block.isFull) blocks.push(block.take());
  }
  const entries = Buffer.concat([...blocks, block.take()]);
  const read = { times: 0, bytes: 0 };
  const index = new ChangeIndex(timestamps.length, (from, to) => {
    read.times++;
    read.bytes += (to - from) * changeEntryBytes;
    return entries.subarray(from * changeEntryBytes, to * changeEntryBytes);
  });
  return { index, read };
}

it("an index yields the places of a filter by time, in ascending order", () => {
  const lists = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 });
  const bound = fc.nat(40);
  fc.assert(
    fc.property(lists, fc.nat(21), bound, bound, (timestamps, since, a, b) => {
      const range = { from: Math.min(a, b), to: Math.min(Math.max(a, b), timestamps.length) };
      const expected = [...timestamps.keys()].filter(
        (place) => place >= range.from && place < range.to && (timestamps[place] ?? 0) >= since,
      );
      const index = ChangeIndex.of(timestamps);
      expect([...index.places(since, range)]).toEqual(expected);
      expect(index.countOf(since, range)).toBe(expected.length);
    }),
    seeded(200),
  );
});

it("an index of several blocks yields the places of a filter by time, at every border of a block", () => {
  const count = 2 * blockPlaces + 1000;
  const timestamps = Array.from({ length: count }, (_, place) => (place * 7919) % hour);
  const index = ChangeIndex.of(timestamps);
  const since = hour - 2000;
  const changed = timestamps.flatMap((timestamp, place) => (timestamp >= since ? [place] : []));
  for (const from of [0, 1, blockPlaces - 1, blockPlaces, blockPlaces + 1, count]) {
    for (const to of [blockPlaces, 2 * blockPlaces, 2 * blockPlaces + 1, count]) {
      const expected = changed.filter((place) => place >= from && place < to);
      expect([...index.places(since, { from, to })]).toEqual(expected);
      expect(index.countOf(since, { from, to })).toBe(expected.length);
    }
  }
});

it("a query reads in proportion to the changes, not to the accounts", () => {
  const count = 4 * blockPlaces;
  const timestamps = new Array<number>(count).fill(1000);
  timestamps[5] = 2000;
  timestamps[blockPlaces + 7] = 3000;
  const { index, read } = countedIndex(timestamps);
  const everywhere = { from: 0, to: count };
  expect([...index.places(2000, everywhere)]).toEqual([5, blockPlaces + 7]);
  expect(read.times).toBeLessThan(50);
  expect(read.bytes).toBeLessThan(50 * changeEntryBytes);
  read.times = 0;
  expect(index.countOf(3001, everywhere)).toBe(0);
  expect(read.times).toBe(4);
});
