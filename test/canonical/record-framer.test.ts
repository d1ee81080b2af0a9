import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordFramer } from "../../src/canonical/record-framer.ts";
import { ResponseError } from "../../src/errors/response-error.ts";
import { recordBytesMax, whiteSpaceRunMax } from "../../src/limits/response.ts";
import { seeded } from "../helpers/seeded.ts";
import { cut, pieces } from "./chunks.ts";

interface Framed {
  readonly records: string[];
  readonly error: ResponseError | undefined;
}

/** Frames chunks whose memory is reused after each push, which the framer permits. */
function frame(chunks: readonly Buffer[], framer = new RecordFramer("snapshot")): Framed {
  const records: string[] = [];
  try {
    for (const chunk of chunks) {
      const reused = Buffer.from(chunk);
      for (const record of framer.push(reused)) records.push(record.toString("utf8"));
      reused.fill("!");
    }
    framer.end();
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    return { records, error };
  }
  return { records, error: undefined };
}

const frameText = (text: string) => frame([Buffer.from(text)]);

const json = fc
  .dictionary(fc.string({ unit: "binary" }), fc.jsonValue())
  .map((object) => JSON.stringify(object));
const hostileRecord = fc.constantFrom(
  "{}",
  '{"a":"]}"}',
  '{"a":"\\\\"}',
  '{"a":"\\\\\\""}',
  '{"}":{"{":["[",{"]":"\\"}]"}]}}',
  ' {"a":{} , "b" :[ ] }'.trim(),
);
const records = fc.array(fc.oneof(json, hostileRecord), { maxLength: 8 });
const space = fc.array(fc.constantFrom(" ", "\n", "\r", "\t"), { maxLength: 3 }).map((list) => list.join(""));
/** A valid response: its records, and its text with white space wherever it is permitted. */
const response = fc.tuple(records, fc.infiniteStream(space)).map(([list, gaps]) => {
  const gap = () => gaps.next().value;
  const body = list.map((record) => gap() + record + gap()).join(",");
  const text = `${gap()}{${gap()}"snapshot"${gap()}:${gap()}[${body}${gap()}]${gap()}}${gap()}`;
  return { list, text };
});

describe("the records of a response", () => {
  it("are the same however it is divided into chunks", () => {
    const property = fc.property(
      response,
      fc.array(fc.nat(2000), { maxLength: 40 }),
      ({ list, text }, places) => {
        expect(frame(cut(Buffer.from(text), places))).toEqual({ records: list, error: undefined });
      },
    );
    fc.assert(property, seeded(1000));
  });

  it("are the same byte by byte", () => {
    const property = fc.property(response, ({ list, text }) => {
      expect(frame(pieces(Buffer.from(text), 1))).toEqual({ records: list, error: undefined });
    });
    fc.assert(property, seeded(200));
  });

  it("are the complete ones if it ends too early, at any byte", () => {
    const list = ['{"a":"]}"}', '{"é😀":[1,{}]}', '{"z":0}'];
    const text = Buffer.from(` {"snapshot" : [ ${list.join(" , ")} ] }`);
    for (let length = 0; length < text.length; length++) {
      const beginning = text.subarray(0, length);
      const complete = list.filter((record) => beginning.includes(record));
      for (const chunks of [[beginning], pieces(beginning, 1), pieces(beginning, 7)]) {
        const framed = frame(chunks);
        expect(framed.records, `after ${length} bytes`).toEqual(complete);
        expect(framed.error?.kind, `after ${length} bytes`).toBe("truncated");
      }
    }
    expect(frame([text])).toEqual({ records: list, error: undefined });
  });

  it("may be in a bare list, or in a list under another key", () => {
    expect(frame([Buffer.from(' [{"a":1},{}] ')], new RecordFramer(undefined)).records).toEqual([
      '{"a":1}',
      "{}",
    ]);
    expect(frame([Buffer.from('{"messages":[{}]}')], new RecordFramer("messages")).records).toEqual(["{}"]);
  });

  it.each([
    { id: "nothing", text: "", kind: "truncated" },
    { id: "white space alone", text: " \n ", kind: "truncated" },
    { id: "HTML", text: "<!doctype html>", kind: "malformed" },
    { id: "a bare list", text: "[{}]", kind: "malformed" },
    { id: "an error body", text: '{"error":"busy"}', kind: "malformed" },
    { id: "another key", text: '{"snapshots":[]}', kind: "malformed" },
    { id: "the key with a space inside", text: '{"snap shot":[]}', kind: "malformed" },
    { id: "the key in another case", text: '{"Snapshot":[]}', kind: "malformed" },
    { id: "the key escaped", text: '{"\\u0073napshot":[]}', kind: "malformed" },
    { id: "another key before the list", text: '{"a":1,"snapshot":[]}', kind: "malformed" },
    { id: "no colon", text: '{"snapshot" []}', kind: "malformed" },
    { id: "an object for the list", text: '{"snapshot":{}}', kind: "malformed" },
    { id: "null for the list", text: '{"snapshot":null}', kind: "malformed" },
    { id: "a number for a record", text: '{"snapshot":[1]}', kind: "malformed" },
    { id: "a text for a record", text: '{"snapshot":["{}"]}', kind: "malformed" },
    { id: "a list for a record", text: '{"snapshot":[[{}]]}', kind: "malformed" },
    { id: "null for a record", text: '{"snapshot":[{},null]}', kind: "malformed" },
    { id: "a comma first", text: '{"snapshot":[,{}]}', kind: "malformed" },
    { id: "a comma last", text: '{"snapshot":[{},]}', kind: "malformed" },
    { id: "two commas", text: '{"snapshot":[{},,{}]}', kind: "malformed" },
    { id: "no comma", text: '{"snapshot":[{}{}]}', kind: "malformed" },
    { id: "no ]", text: '{"snapshot":[{}}', kind: "malformed" },
    { id: "another key after the list", text: '{"snapshot":[{}],"a":1}', kind: "malformed" },
    { id: "no }", text: '{"snapshot":[{}]]', kind: "malformed" },
    { id: "something after the end", text: '{"snapshot":[{}]}x', kind: "malformed" },
    { id: "a second response", text: '{"snapshot":[]}{"snapshot":[]}', kind: "malformed" },
    { id: "a byte order mark", text: '\ufeff{"snapshot":[]}', kind: "malformed" },
    { id: "a NUL", text: '{"snapshot":[\u0000{}]}', kind: "malformed" },
    { id: "other white space", text: '{"snapshot":[\u00a0{}]}', kind: "malformed" },
    { id: "a comment", text: '{"snapshot":[/**/{}]}', kind: "malformed" },
    { id: "an end within a string", text: '{"snapshot":[{"a":"]}', kind: "truncated" },
  ])("end with an error if there is $id", ({ text, kind }) => {
    const { error } = frameText(text);
    expect(error?.kind).toBe(kind);
    expect(error?.message).not.toMatch(/\p{Cc}/u);
    expect(frame(pieces(Buffer.from(text), 1)).error?.kind).toBe(kind);
  });

  it("end with a ResponseError or none, whatever the bytes are", () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .string({ unit: fc.constantFrom(...'{}[]",:\\ \n1a'), maxLength: 60 })
        .map((text) => Buffer.from(`{"snapshot":[${text}`)),
      fc.tuple(response, fc.nat(), fc.nat(255)).map(([{ text }, place, byte]) => {
        const bytes = Buffer.from(text);
        bytes[place % bytes.length] = byte;
        return bytes;
      }),
    );
    const property = fc.property(anything, fc.array(fc.nat(200), { maxLength: 5 }), (bytes, places) => {
      const framed = frame(cut(bytes, places));
      expect(framed.error).toEqual(frame([bytes]).error);
      // Whatever it returns begins and ends like a record.
      for (const record of framed.records) expect(record).toMatch(/^\{.*[}\]]$/s);
    });
    fc.assert(property, seeded(2000));
  });
});

describe("white space between records", () => {
  const places = ["|{", "{|", '"snapshot"|', ":|", "[|", "{}|", ",|", "]|", "}|"];
  const whole = '{"snapshot":[{},{}]}';
  const texts = places.map((mark) => {
    const token = mark.replace("|", "");
    const at = mark === "{}|" ? whole.indexOf("{}") : mark === "}|" ? whole.length - 1 : whole.indexOf(token);
    const offset = mark.startsWith("|") ? at : at + token.length;
    return { mark, before: whole.slice(0, offset), behind: whole.slice(offset) };
  });

  it.each(texts)("has a bound, at $mark", ({ before, behind }) => {
    const filled = (count: number) => `${before}${" \n\t\r".repeat(count).slice(0, count)}${behind}`;
    expect(frameText(filled(whiteSpaceRunMax)).error).toBeUndefined();
    expect(frameText(filled(whiteSpaceRunMax)).records).toEqual(["{}", "{}"]);
    const tooMuch = filled(whiteSpaceRunMax + 1);
    expect(frameText(tooMuch).error?.kind).toBe("too-large");
    expect(frame(pieces(Buffer.from(tooMuch), 1000)).error?.kind).toBe("too-large");
  });

  it("may exceed that bound in the whole response", () => {
    const run = " ".repeat(whiteSpaceRunMax);
    expect(frameText(`{"snapshot":[${run}{}${run},${run}{}${run}]}`).records).toHaveLength(2);
  });
});

describe("a record", () => {
  const bounds = { recordBytesMax: 20 };
  const recordOf = (bytes: number) => `{"a":"${"x".repeat(bytes - 8)}"}`;
  const framer = () => new RecordFramer("snapshot", bounds);

  it.each([{ size: 1 }, { size: 3 }, { size: 1000 }])("has a bound, in chunks of $size bytes", ({ size }) => {
    const good = Buffer.from(`{"snapshot":[${recordOf(20)},${recordOf(20)}]}`);
    expect(frame(pieces(good, size), framer()).records).toEqual([recordOf(20), recordOf(20)]);
    const bad = Buffer.from(`{"snapshot":[${recordOf(20)},${recordOf(21)}]}`);
    expect(frame(pieces(bad, size), framer()).error?.kind).toBe("too-large");
  });

  it.each([{ size: 1 }, { size: 3 }, { size: 1000 }])(
    "that exceeds the bound is skipped on request, in chunks of $size bytes",
    ({ size }) => {
      const escapes = `{"a":"${'\\\\\\"}'.repeat(30)}\\\\"}`;
      const nested = `{"a":{"b":"${"}]".repeat(30)}"}}`;
      const records = [recordOf(21), recordOf(20), nested, "{}", escapes, recordOf(5_000)];
      const skipping = new RecordFramer("snapshot", { ...bounds, skipsLonger: true });
      const framed = frame(pieces(Buffer.from(`{"snapshot":[${records.join()}]}`), size), skipping);
      expect(framed).toMatchObject({ records: [recordOf(20), "{}"], error: undefined });
      expect(skipping.skipped).toBe(4);
      for (const record of records) expect(() => JSON.parse(record)).not.toThrow();
    },
  );

  it("that never ends is an error at its bound", () => {
    const endless = framer();
    const { error } = frame(
      [Buffer.from('{"snapshot":[{"a":"'), ...pieces(Buffer.alloc(40, "x"), 5)],
      endless,
    );
    expect(error?.message).toBe("a record has more than 20 bytes");
  });

  it("may be as large as the bound in limits, and no larger", () => {
    const large = recordOf(recordBytesMax);
    expect(frame(pieces(Buffer.from(`{"snapshot":[${large}]}`), 65_536)).records).toEqual([large]);
    const tooLarge = Buffer.from(`{"snapshot":[${recordOf(recordBytesMax + 1)}]}`);
    expect(frame(pieces(tooLarge, 65_536)).error?.kind).toBe("too-large");
  });
});
