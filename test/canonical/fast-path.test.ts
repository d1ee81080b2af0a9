/** Which records the fast path accepts, so that ordinary states are fast. Other tests check that its copies are correct. */

import { describe, expect, it } from "vitest";
import { FastPath } from "../../src/canonical/fast-path.ts";
import { makeShard } from "../../src/protocol/shard.ts";

const shard = makeShard({ numNodes: 4 });
const id = "0f".repeat(32);

/** How the fast path ends after one record, and the copy that it made. */
function copyOf(record: string): { ending: string; copy: string | undefined; partition: number | undefined } {
  const fastPath = FastPath.take(shard);
  const bytes = fastPath.input.write(`${record}]}`);
  const { ending, stoppedAt } = fastPath.copy(0, bytes);
  const [run] = [...fastPath.runs()].map(({ partition, bytes: copy }) => ({ partition, copy: String(copy) }));
  fastPath.giveBack();
  expect(stoppedAt).toBe(ending === "after-record" ? Buffer.byteLength(record) : 0);
  return { ending, copy: run?.copy, partition: run?.partition };
}

function withData(data: string): string {
  return `{"accountId":"${id}","stateId":"aa","data":${data},"timestamp":12}`;
}

function copyWith(dataText: string): string {
  return `{"accountId":"${id}","data":${JSON.stringify(dataText)},"hash":"aa","isGlobal":0,"timestamp":12}`;
}

describe("the fast path accepts", () => {
  const deep = `${"[".repeat(32)}${"]".repeat(32)}`;
  it.each([
    { id: "canonical data", data: '{"a":1,"b":"x"}', text: '{"a":1,"b":"x"}' },
    { id: "keys in another order", data: '{"b":1,"a":{"d":2,"c":3}}', text: '{"a":{"c":3,"d":2},"b":1}' },
    { id: "a key that is the beginning of another", data: '{"ab":1,"a":2}', text: '{"a":2,"ab":1}' },
    { id: "white space", data: '{ "a" : [ 1 , 2 ]\n}', text: '{"a":[1,2]}' },
    { id: "numbers of 15 digits", data: "[-123456789012345,0]", text: "[-123456789012345,0]" },
    { id: "true, false and null", data: "[true,false,null]", text: "[true,false,null]" },
    { id: "big integers", data: '{"value":"2a","dataType":"bi"}', text: '{"dataType":"bi","value":"2a"}' },
    { id: "bytes", data: '{"dataType":"u8ab","value":"AQI="}', text: '{"value":"AQI=","dataType":"u8ab"}' },
    {
      id: "buffers",
      data: '{"value":"AQIDBA==","dataType":"bb"}',
      text: '{"value":"AQIDBA==","dataType":"bb"}',
    },
    { id: "an unknown type", data: '{"value":"?","dataType":"x"}', text: '{"dataType":"x","value":"?"}' },
    { id: "escapes", data: '["\\"\\\\\\n\\u0001"]', text: '["\\"\\\\\\n\\u0001"]' },
    { id: "characters beyond ASCII", data: '["é€😀\u2028"]', text: '["é€😀\u2028"]' },
    { id: "data that is text", data: '"{\\"b\\":1}"', text: '{"b":1}' },
    { id: "a signature", data: '{"sig":"x","sign":{"owner":"y"}}', text: '{"sig":"x","sign":{"owner":"y"}}' },
    { id: "usual depth", data: deep, text: deep },
    { id: "empty lists and objects", data: "[{},[]]", text: "[{},[]]" },
  ])("$id", ({ data, text }) => {
    expect(copyOf(withData(data))).toEqual({ ending: "after-record", copy: copyWith(text), partition: 0 });
  });

  it("global accounts, fields in any order, and unknown fields", () => {
    const record = `{"other":{"x":[1]},"timestamp":12,"data":{},"syncData":{"at":7,"isGlobal":true},"stateId":"aa","accountId":"${id}"}`;
    const copy = copyWith("{}").replace('"isGlobal":0', '"isGlobal":1');
    expect(copyOf(record)).toEqual({ ending: "after-record", copy, partition: -1 });
  });
});

describe("the fast path leaves to the slow path", () => {
  it.each([
    {
      id: "numbers that canonical text may write in another form",
      data: ["1.5", "1e3", "-0", "1234567890123456", "01", "-"],
    },
    {
      id: "escapes that canonical text may write in another form",
      data: ['"\\/"', '"\\u0041"', '"\\u000a"', '"\\u001F"', '"\\ud800"'],
    },
    { id: "keys with escapes or characters beyond ASCII", data: ['{"\\n":1}', '{"é":1}'] },
    { id: "duplicate keys", data: ['{"a":1,"a":2}', '{"b":1,"a":1,"b":2}'] },
    { id: "keys that are dropped", data: ['{"__proto__":1}', '{"constructor":1}', '{"prototype":1}'] },
    { id: "objects under sig", data: ['{"sig":{"dataType":"bi","value":"1"}}'] },
    { id: "long-form buffers", data: ['{"type":"Buffer","data":[1]}'] },
    {
      id: "big integers in another form",
      data: ['"01"', '"A"', '""', "1", '"0x1"'].map((value) => `{"dataType":"bi","value":${value}}`),
    },
    {
      id: "bytes in another form",
      data: ['"A"', '"AR=="', '"-_=="', '"AQI"', '"AAB="', '"===="', "1"].map(
        (value) => `{"dataType":"bb","value":${value}}`,
      ),
    },
    {
      id: "typed values with other keys, or without a value",
      data: ['{"dataType":"bi","value":"1","x":1}', '{"dataType":"bi"}'],
    },
    { id: "unusual depth", data: [`${"[".repeat(33)}${"]".repeat(33)}`] },
    {
      id: "many keys in another order",
      data: [`{${Array.from({ length: 65 }, (_, n) => `"${99 - n}":1`).join()}}`],
    },
    {
      id: "text that is not JSON",
      data: ["{", "[1,]", '{"a":1,}', "tru", '"\t"', "nul1", "+1", ",", "[}", ""],
    },
  ])("$id", ({ data }) => {
    for (const one of data) expect(copyOf(withData(one)).copy, one).toBeUndefined();
  });

  it.each([
    { id: "an invalid address", record: withData("1").replace(id, id.toUpperCase()) },
    { id: "an address that is too long", record: withData("1").replace(id, `${id}0`) },
    { id: "a timestamp that is not a number", record: withData("1").replace(":12", ':"12"') },
    { id: "a duplicate field", record: withData("1").replace(":12", ':12,"timestamp":13') },
    { id: "a missing field", record: withData("1").replace('"stateId":"aa",', "") },
    {
      id: "isGlobal that is neither true nor false",
      record: withData("1").replace(":12", ':12,"syncData":{"isGlobal":1}'),
    },
  ])("$id", ({ record }) => {
    expect(copyOf(record).copy).toBeUndefined();
  });
});

it("the fast path accepts base64 exactly if its unused bits are zero", () => {
  for (const last of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
    for (const text of [`A${last}==`, `AA${last}=`]) {
      const isCanonical = Buffer.from(text, "base64").toString("base64") === text;
      const { copy } = copyOf(withData(`{"dataType":"bb","value":"${text}"}`));
      expect(copy !== undefined, text).toBe(isCanonical);
    }
  }
});

it("the fast path assigns the addresses that rounding leaves over to the last partition", () => {
  const fastPath = FastPath.take(makeShard({ numNodes: 9 }));
  fastPath.copy(0, fastPath.input.write(`${withData("1").replace(id, "f".repeat(64))}]}`));
  expect([...fastPath.runs()].map(({ partition }) => partition)).toEqual([8]);
  fastPath.giveBack();
});

it("the fast path distinguishes a record that is incomplete from one that it refuses", () => {
  const fastPath = FastPath.take(shard);
  const record = withData('{"a":{"dataType":"bi","value":"2a"},"b":["x\\n",7,{}]}');
  for (let length = 1; length < record.length; length++) {
    const bytes = fastPath.input.write(record.slice(0, length));
    expect(fastPath.copy(0, bytes), record.slice(0, length)).toEqual({ stoppedAt: 0, ending: "incomplete" });
  }
  fastPath.giveBack();
});
