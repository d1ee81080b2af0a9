import { expect, it } from "vitest";
import { FairQueue } from "../../../src/collect/server/fair-queue.ts";

it("every address has its turn, however many items another one has queued", () => {
  const queue = new FairQueue<string>();
  for (const item of ["a1", "a2", "a3", "a4"]) queue.push(item, "192.0.2.1");
  for (const item of ["b1", "b2"]) queue.push(item, "192.0.2.2");
  const [first, second] = [queue.shift(), queue.shift()];
  queue.push("c1", "192.0.2.3");
  const rest = Array.from({ length: 5 }, () => queue.shift());
  expect([first, second, ...rest]).toEqual(["a1", "b1", "a2", "b2", "c1", "a3", "a4"]);
  expect(queue.shift()).toBeUndefined();
  expect(queue.size).toBe(0);
});

it.each([
  {
    id: "hosts of one IPv6 network",
    addresses: ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::9", "2001:db8:1:2:ff::"],
    queues: 1,
  },
  { id: "shortened networks", addresses: ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:1::"], queues: 1 },
  { id: "two IPv6 networks", addresses: ["2001:db8:1:2::9", "2001:db8:1:3::9"], queues: 2 },
  {
    id: "IPv4 addresses, mapped ones as well",
    addresses: ["::ffff:192.0.2.1", "::ffff:192.0.2.2", "192.0.2.1"],
    queues: 3,
  },
])("$id share $queues turns", ({ addresses, queues }) => {
  const queue = new FairQueue<string>();
  for (const address of addresses) queue.push(address, address);
  expect(new Set(addresses.map((address) => queue.sizeOf(address))).has(addresses.length)).toBe(queues === 1);
  expect(queue.size).toBe(addresses.length);
});
