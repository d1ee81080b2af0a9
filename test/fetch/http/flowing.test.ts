import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { flowing } from "../../../src/fetch/http/flowing.ts";

/** A stream that tests push into, with a count of its reads. */
function pushed(): { stream: Readable; reads: () => number } {
  let reads = 0;
  const stream = new Readable({
    highWaterMark: 4,
    read: () => {
      reads++;
    },
  });
  return { stream, reads: () => reads };
}

describe("a flowing stream", () => {
  it("yields the chunks as received, waiting ones included", async () => {
    const { stream } = pushed();
    const chunks = ["a", "bc", "def", "g"].map((text) => Buffer.from(text));
    for (const chunk of chunks) stream.push(chunk);
    stream.push(null);
    const received: Buffer[] = [];
    for await (const chunk of flowing(stream)) received.push(chunk);
    expect(received).toEqual(chunks);
    for (const [index, chunk] of received.entries()) expect(chunk.buffer).toBe(chunks[index]?.buffer);
  });

  it("reads no further while a chunk is in use", async () => {
    const { stream, reads } = pushed();
    const chunks = flowing(stream);
    stream.push(Buffer.alloc(8));
    await chunks.next();
    stream.push(Buffer.alloc(8));
    stream.push(Buffer.alloc(8));
    const before = reads();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reads()).toBe(before);
    expect(stream.readableLength).toBeGreaterThan(0);
    await chunks.next();
    await chunks.return();
  });

  it("throws its error after the chunks before it", async () => {
    const { stream } = pushed();
    stream.push(Buffer.from("a"));
    const chunks = flowing(stream);
    expect(String((await chunks.next()).value)).toBe("a");
    const next = chunks.next();
    stream.destroy(new Error("gone"));
    await expect(next).rejects.toThrow("gone");
  });

  it("throws if it closes before its end", async () => {
    const { stream } = pushed();
    const next = flowing(stream).next();
    setImmediate(() => stream.destroy());
    await expect(next).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  });

  it("removes its listeners at its end", async () => {
    const { stream } = pushed();
    stream.push(Buffer.from("a"));
    const chunks = flowing(stream);
    await chunks.next();
    await chunks.return();
    expect(stream.listenerCount("data")).toBe(0);
  });
});
