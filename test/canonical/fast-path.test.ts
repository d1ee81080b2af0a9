/** What the fast way takes, so that a state of the usual kind is fast; that it is right is tested elsewhere. */

import { describe, expect, it } from "vitest";
import { FastPath } from "../../src/canonical/fast-path.ts";
import { makeShard } from "../../src/protocol/shard.ts";

const shard = makeShard({ numNodes: 4 });
const id = "0f".repeat(32);

/** How the engine ends on one record, and the copy that it made. */
function copyOf(record: string): { ending: string; copy: string | undefined; partition: number | undefined } {
  const engine = FastPath.take(shard);
  const bytes = engine.input.write(`${record}]}`);
  const { ending, stoppedAt } = engine.copy(0, bytes);
  const [run] = [...engine.runs()].map(({ partition, bytes: copy }) => ({ partition, copy: String(copy) }));
  engine.giveBack();
  expect(stoppedAt).toBe(ending === "after-record" ? Buffer.byteLength(record) : 0);
  return { ending, copy: run?.copy, partition: run?.partition };
}

function withData(data: string): string {
  return `{"accountId":"${id}","stateId":"aa","data":${data},"timestamp":12}`;
}

function copyWith(dataText: string): string {
  return `{"accountId":"${id}","data":${JSON.stringify(dataText)},"hash":"aa","isGlobal":0,"timestamp":12}`;
}

describe("the copy engine takes", () => {
  const deep = `${"[".repeat(32)}${"]".repeat(32)}`;
  it.each([
    { id: "canonical data", data: '{"a":1,"b":"x"}', text: '{"a":1,"b":"x"}' },
    { id: "keys in another order", data: '{"b":1,"a":{"d":2,"c":3}}', text: '{"a":{"c":3,"d":2},"b":1}' },
    { id: "a key that another begins with", data: '{"ab":1,"a":2}', text: '{"a":2,"ab":1}' },
    { id: "white space", data: '{ "a" : [ 1 , 2 ]\n}', text: '{"a":[1,2]}' },
    { id: "numbers of 15 digits", data: "[-123456789012345,0]", text: "[-123456789012345,0]" },
    { id: "words", data: "[true,false,null]", text: "[true,false,null]" },
    { id: "big integers", data: '{"value":"2a","dataType":"bi"}', text: '{"dataType":"bi","value":"2a"}' },
    { id: "bytes", data: '{"dataType":"u8ab","value":"AQI="}', text: '{"value":"AQI=","dataType":"u8ab"}' },
    {
      id: "buffers",
      data: '{"value":"AQIDBA==","dataType":"bb"}',
      text: '{"value":"AQIDBA==","dataType":"bb"}',
    },
    { id: "an unknown type", data: '{"value":"?","dataType":"x"}', text: '{"dataType":"x","value":"?"}' },
    { id: "escapes", data: '["\\"\\\\\\n\\u0001"]', text: '["\\"\\\\\\n\\u0001"]' },
    { id: "other than ASCII", data: '["é€😀\u2028"]', text: '["é€😀\u2028"]' },
    { id: "data that is text", data: '"{\\"b\\":1}"', text: '{"b":1}' },
    { id: "a signature", data: '{"sig":"x","sign":{"owner":"y"}}', text: '{"sig":"x","sign":{"owner":"y"}}' },
    { id: "depth that is usual", data: deep, text: deep },
    { id: "nothing", data: "[{},[]]", text: "[{},[]]" },
  ])("$id", ({ data, text }) => {
    expect(copyOf(withData(data))).toEqual({ ending: "after-record", copy: copyWith(text), partition: 0 });
  });

  it("global accounts, and fields in any order, or such as are not known", () => {
    const record = `{"other":{"x":[1]},"timestamp":12,"data":{},"syncData":{"at":7,"isGlobal":true},"stateId":"aa","accountId":"${id}"}`;
    const copy = copyWith("{}").replace('"isGlobal":0', '"isGlobal":1');
    expect(copyOf(record)).toEqual({ ending: "after-record", copy, partition: -1 });
  });
});

describe("the fast path leaves to the slow path", () => {
  it.each([
    {
      id: "numbers that may be written otherwise",
      data: ["1.5", "1e3", "-0", "1234567890123456", "01", "-"],
    },
    {
      id: "escapes that may be written otherwise",
      data: ['"\\/"', '"\\u0041"', '"\\u000a"', '"\\u001F"', '"\\ud800"'],
    },
    { id: "keys with escapes or other than ASCII", data: ['{"\\n":1}', '{"é":1}'] },
    { id: "keys that are there twice", data: ['{"a":1,"a":2}', '{"b":1,"a":1,"b":2}'] },
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
      id: "typed values with more than their value",
      data: ['{"dataType":"bi","value":"1","x":1}', '{"dataType":"bi"}'],
    },
    { id: "depth that is not usual", data: [`${"[".repeat(33)}${"]".repeat(33)}`] },
    {
      id: "many keys in another order",
      data: [`{${Array.from({ length: 65 }, (_, n) => `"${99 - n}":1`).join()}}`],
    },
    { id: "what is not JSON", data: ["{", "[1,]", '{"a":1,}', "tru", '"\t"', "nul1", "+1", ",", "[}", ""] },
  ])("$id", ({ data }) => {
    for (const one of data) expect(copyOf(withData(one)).copy, one).toBeUndefined();
  });

  it.each([
    { id: "an invalid address", record: withData("1").replace(id, id.toUpperCase()) },
    { id: "an address that is too long", record: withData("1").replace(id, `${id}0`) },
    { id: "a timestamp that is not a number", record: withData("1").replace(":12", ':"12"') },
    { id: "a field that is there twice", record: withData("1").replace(":12", ':12,"timestamp":13') },
    { id: "a field that is missing", record: withData("1").replace('"stateId":"aa",', "") },
    { id: "isGlobal that is neither", record: withData("1").replace(":12", ':12,"syncData":{"isGlobal":1}') },
  ])("$id", ({ record }) => {
    expect(copyOf(record).copy).toBeUndefined();
  });
});

it("the copy engine takes bytes as base64 exactly where nothing is in the bits left over", () => {
  for (const last of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
    for (const text of [`A${last}==`, `AA${last}=`]) {
      const isCanonical = Buffer.from(text, "base64").toString("base64") === text;
      const { copy } = copyOf(withData(`{"dataType":"bb","value":"${text}"}`));
      expect(copy !== undefined, text).toBe(isCanonical);
    }
  }
});

it("the copy engine knows the addresses that rounding leaves to the last partition", () => {
  const engine = FastPath.take(makeShard({ numNodes: 9 }));
  engine.copy(0, engine.input.write(`${withData("1").replace(id, "f".repeat(64))}]}`));
  expect([...engine.runs()].map(({ partition }) => partition)).toEqual([8]);
  engine.giveBack();
});

it("a record that goes on behind the end is told from one that is refused", () => {
  const engine = FastPath.take(shard);
  const record = withData('{"a":{"dataType":"bi","value":"2a"},"b":["x\\n",7,{}]}');
  for (let length = 1; length < record.length; length++) {
    const bytes = engine.input.write(record.slice(0, length));
    expect(engine.copy(0, bytes), record.slice(0, length)).toEqual({ stoppedAt: 0, ending: "incomplete" });
  }
  engine.giveBack();
});
