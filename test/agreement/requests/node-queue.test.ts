import { describe, expect, it } from "vitest";
import { NodeQueue } from "../../../src/agreement/requests/node-queue.ts";
import { idNamed } from "../../helpers/brands.ts";

const nodes = ["a", "b", "c"].map((name) => ({ id: idNamed(name), publicKey: undefined, url: name }));
const newQueue = () => new NodeQueue(nodes, { attemptsMax: 2, pauseMs: 10 });
const never = () => false;

describe("a queue of nodes", () => {
  it("takes nodes in their order if none is preferred", () => {
    const queue = newQueue();
    expect([1, 2, 3, 4].map(() => queue.take(never, 0)?.node.url)).toEqual(["a", "b", "c", undefined]);
    expect(queue.size).toBe(0);
  });

  it("takes a preferred node first", () => {
    const queue = newQueue();
    expect(queue.take(({ url }) => url !== "a", 0)?.node.url).toBe("b");
    expect(queue.take(({ url }) => url === "c", 0)?.node.url).toBe("c");
    expect(queue.take(({ url }) => url === "c", 0)?.node.url).toBe("a");
  });

  it("takes a retry after its pause, and after all nodes that were not taken yet", () => {
    const queue = new NodeQueue(nodes.slice(0, 2), { attemptsMax: 2, pauseMs: 10 });
    const first = queue.take(never, 0)?.node ?? expect.unreachable();
    queue.retry(first, 0);
    expect(queue.take(never, 99)).toMatchObject({ node: { url: "b" }, isFirst: true });
    expect(queue.take(never, 9)).toBeUndefined();
    expect(queue.size).toBe(1);
    expect(queue.take(never, 10)).toMatchObject({ node: { url: "a" }, isFirst: false });
  });

  it("does not retry a node that has had all its attempts", () => {
    const queue = new NodeQueue(nodes.slice(0, 1), { attemptsMax: 2, pauseMs: 0 });
    for (const isQueued of [1, 0]) {
      queue.retry(queue.take(never, 0)?.node ?? expect.unreachable(), 0);
      expect(queue.size).toBe(isQueued);
    }
  });
});
