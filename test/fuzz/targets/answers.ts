/** Mutated and divided responses to `POST /snapshot`: the fast path and the slow path read or reject the same. */

import fc from "fast-check";
import { expect } from "vitest";
import { RecordFramer } from "../../../src/canonical/record-framer.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { readFast, readSlow } from "../../artifact/outcome.ts";
import { cut } from "../../canonical/chunks.ts";
import { makeAccounts } from "../../helpers/accounts.ts";
import { nestedJson } from "../../protocol/nested-json.ts";
import { fuzzTarget } from "../fuzz-target.ts";
import { mutatedText } from "../mutated-text.ts";

const shard = makeShard({ numNodes: 7, nodesPerConsensusGroup: 3, nodesPerEdge: 1 });
const ordinary = JSON.stringify({
  snapshot: makeAccounts(shard, { perPartition: 1, globals: 1, padding: 20 }),
});

const withData = fc.array(nestedJson, { maxLength: 4 }).map((all) => {
  const records = all.map(
    (data, number) =>
      `{"accountId":"${String(number).padStart(64, "0")}","stateId":"","data":${data},"timestamp":1}`,
  );
  return `{"snapshot":[${records.join()}]}`;
});

const answer = fc.record({
  text: fc.oneof(withData, mutatedText([ordinary, '{"snapshot":[]}'])),
  places: fc.array(fc.nat({ max: 4_000 }), { maxLength: 8 }),
});

export const answerTargets = [
  fuzzTarget(
    "answers with accounts",
    answer,
    ({ text, places }) => {
      const bytes = Buffer.from(text);
      const outcome = readFast(cut(bytes, places), shard);
      expect(outcome).toEqual(readSlow([bytes], shard));
      if (outcome.error !== undefined) expect(outcome.error).toMatch(/^ResponseError /);
    },
    ({ text, places }) => `${text}\ncut at ${places}`,
  ),
  fuzzTarget(
    "answers with messages",
    answer,
    ({ text, places }) => {
      const bytes = Buffer.from(text.replace('"snapshot"', '"messages"'));
      expect(framed(cut(bytes, places))).toEqual(framed([bytes]));
    },
    ({ text, places }) => `${text}\ncut at ${places}`,
  ),
];

function framed(chunks: readonly Buffer[]): string[] {
  const framer = new RecordFramer("messages");
  const records: string[] = [];
  try {
    for (const chunk of chunks) records.push(...framer.push(chunk).map(String));
    framer.end();
  } catch (error) {
    expect(error).toMatchObject({ name: "ResponseError" });
    records.push(String(error));
  }
  return records;
}
