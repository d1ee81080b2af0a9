import { expect, it } from "vitest";
import { RecordFramer } from "../../src/canonical/record-framer.ts";
import { ResponseError } from "../../src/errors/response-error.ts";

function recordsBefore(chunks: string[]): string[] {
  const framer = new RecordFramer("snapshot");
  const records: string[] = [];
  try {
    for (const chunk of chunks)
      for (const record of framer.push(Buffer.from(chunk))) records.push(String(record));
    framer.end();
  } catch (error) {
    expect(error).toBeInstanceOf(ResponseError);
  }
  return records;
}

it("returns the records before a malformed one, however the response is divided into chunks", () => {
  const text = '{"snapshot":[{"a":1},{"b":2},garbage';
  expect(recordsBefore([...text])).toEqual(['{"a":1}', '{"b":2}']);
  expect(recordsBefore([text])).toEqual(['{"a":1}', '{"b":2}']);
});
