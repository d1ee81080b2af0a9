import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Line, linesOf } from "../../src/format/lines.ts";
import { seeded } from "../helpers/seeded.ts";

function chunked(text: string, size: number): AsyncIterable<Buffer> {
  const bytes = Buffer.from(text);
  const starts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index * size);
  return Readable.from(starts.map((start) => bytes.subarray(start, start + size)));
}

async function linesIn(text: string, size: number, bytesMax: number): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of linesOf(chunked(text, size), bytesMax)) lines.push(line);
  return lines;
}

it("lines do not depend on the size of chunks, and lines that are too long have no bytes", async () => {
  const text = fc
    .array(fc.constantFrom("a", "é", "\n", "bcd"), { maxLength: 30 })
    .map((parts) => parts.join(""));
  const property = fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (whole, size) => {
    const expected = whole.split("\n");
    if (expected.at(-1) === "") expected.pop();
    const bytesMax = 4;
    const lines = await linesIn(whole, size, bytesMax);
    expect(lines.map(({ number }) => number)).toEqual(expected.map((_, index) => index + 1));
    expect(lines.map(({ bytes }) => bytes?.toString("utf8"))).toEqual(
      expected.map((line) => (Buffer.byteLength(line) > bytesMax ? undefined : line)),
    );
  });
  await fc.assert(property, seeded(300));
});
