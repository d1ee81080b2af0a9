import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodesMax } from "../../src/model/limits.ts";
import { parseNodeList } from "../../src/wire/node-list.ts";
import { nodeListOf, plainRows } from "../../src/wire/node-rows.ts";
import { seeded } from "../seeded.ts";
import { hostileText } from "./hostile-text.ts";
import { wireErrorOf } from "./wire-error.ts";

const hex = (digit: string) => digit.repeat(64);
const row = { id: hex("a"), ip: "10.0.0.1", port: 9001, publicKey: hex("b") };

function urlOf(changes: object): string | undefined {
  return parseNodeList([{ ...row, ...changes }], "test").nodes[0]?.url;
}

describe("a node", () => {
  it.each([
    { id: "ip and port", changes: {}, url: "http://10.0.0.1:9001" },
    { id: "a port as text", changes: { port: "9002" }, url: "http://10.0.0.1:9002" },
    {
      id: "an external address",
      changes: { externalIp: "1.2.3.4", externalPort: 80 },
      url: "http://1.2.3.4:80",
    },
    { id: "an external port as text", changes: { externalPort: "81" }, url: "http://10.0.0.1:81" },
    { id: "an external ip alone", changes: { externalIp: "1.2.3.4" }, url: "http://1.2.3.4:9001" },
    {
      id: "external fields null",
      changes: { externalIp: null, externalPort: null },
      url: "http://10.0.0.1:9001",
    },
    {
      id: "external fields empty",
      changes: { externalIp: "", externalPort: "" },
      url: "http://10.0.0.1:9001",
    },
    { id: "a host name", changes: { ip: "node-1.example.org" }, url: "http://node-1.example.org:9001" },
    { id: "IPv6", changes: { ip: "2001:db8::1" }, url: "http://[2001:db8::1]:9001" },
    {
      id: "an external IPv6",
      changes: { externalIp: "::1", externalPort: 65535 },
      url: "http://[::1]:65535",
    },
    { id: "fields that are not known", changes: { status: "active", rank: 1 }, url: "http://10.0.0.1:9001" },
  ])("with $id is asked at $url", ({ changes, url }) => {
    expect(urlOf(changes)).toBe(url);
    expect(new URL(url).origin).toBe(url.replace(/:80$/, ""));
  });

  it.each([
    { id: "no ip", changes: { ip: undefined }, says: "[0].ip: " },
    {
      id: "an ip that leads elsewhere",
      changes: { ip: "10.0.0.1/x?" },
      says: "[0].ip: expected an IP address or a host name, got",
    },
    { id: "an ip with a user in it", changes: { ip: "good@evil" }, says: "[0].ip: " },
    {
      id: "no port",
      changes: { port: undefined },
      says: "[0].port: expected a port from 1 to 65535, got nothing",
    },
    { id: "port 0", changes: { port: 0 }, says: "[0].port: expected a port from 1 to 65535, got 0" },
    { id: "port 65536", changes: { port: "65536" }, says: "[0].port: expected a port from 1 to 65535, got" },
    { id: "half a port", changes: { port: 80.5 }, says: "[0].port: expected a port from 1 to 65535" },
    {
      id: "a port that is no number",
      changes: { port: "http" },
      says: '[0].port: expected a port from 1 to 65535, got "http"',
    },
    {
      id: "an external port out of range",
      changes: { externalPort: -1 },
      says: "[0].externalPort: expected a port",
    },
    {
      id: "an external ip that is none",
      changes: { externalIp: 5 },
      says: "[0].externalIp: expected an IP address or a host name, got 5",
    },
    {
      id: "no public key",
      changes: { publicKey: undefined },
      says: "[0].publicKey: expected 64 lower-case hex digits, got nothing",
    },
    {
      id: "a public key in capitals",
      changes: { publicKey: hex("B") },
      says: "[0].publicKey: expected 64 lower-case hex digits",
    },
    {
      id: "an id that is too short",
      changes: { id: "abc" },
      says: '[0].id: expected 64 lower-case hex digits, got "abc"',
    },
    {
      id: "hostile text for an id",
      changes: { id: hostileText },
      says: "[0].id: expected 64 lower-case hex digits, got ",
    },
    { id: "hostile text for an ip", changes: { ip: hostileText }, says: "[0].ip: " },
  ])("with $id is refused, by field, expected and got", ({ changes, says }) => {
    expect(wireErrorOf((source) => parseNodeList({ nodeList: [{ ...row, ...changes }] }, source))).toContain(
      says,
    );
  });
});

describe("the quick look at rows", () => {
  it("comes to the same as the schema, or leaves the list to it", () => {
    const field = <T>(usual: T, ...rare: unknown[]) =>
      fc.oneof({ weight: 20, arbitrary: fc.constant<unknown>(usual) }, fc.constantFrom<unknown>(...rare));
    const rare = [
      null,
      "",
      0,
      1,
      65_535,
      65_536,
      1.5,
      -1,
      "80",
      " 1",
      "10.0.0.1",
      "a/b",
      "x".repeat(256),
      [],
      {},
    ];
    const anyRow = fc.record(
      {
        id: field(row.id, hex("A"), hex("d").slice(1), ...rare),
        ip: field(row.ip, hex("e"), ...rare),
        port: field(row.port, ...rare),
        publicKey: field(row.publicKey, hex("F"), ...rare),
        externalIp: field("1.2.3.4", ...rare),
        externalPort: field(9002, ...rare),
        status: fc.constant("active"),
      },
      { requiredKeys: ["ip", "port", "publicKey"] },
    );
    const anyList = fc.oneof(
      { weight: 20, arbitrary: fc.array(anyRow, { maxLength: 3 }) },
      fc.constantFrom<unknown>(null, undefined, "rows", [null], [[]], {}, { nodeList: {} }, 5),
    );
    let plain = 0;
    const property = fc.property(anyList, fc.boolean(), (rows, isBare) => {
      const received = isBare ? rows : { nodeList: rows };
      const quick = plainRows(received);
      if (quick === undefined) return;
      plain++;
      const nodes = quick.map((own) => nodeListOf([own], received, "test").nodes);
      expect(nodes).toEqual(quick.map((own) => parseNodeList([own], "test").nodes));
      if (new Set(quick.map(({ id }) => id)).size === quick.length) {
        expect(nodeListOf(quick, received, "test")).toEqual(parseNodeList(received, "test"));
      }
    });
    fc.assert(property, seeded(2000));
    expect(plain).toBeGreaterThan(300);
  });

  it("is not taken for lists that are too long", () => {
    expect(plainRows(new Array(nodesMax + 1).fill(row))).toBeUndefined();
  });
});

describe("a node list", () => {
  it.each([
    { id: "an archiver's answer", received: { nodeList: [row], sign: { owner: hex("c"), sig: "" } } },
    { id: "a bare list", received: [row] },
    { id: "with a totals field", received: { nodeList: [row], totalCount: 1 } },
  ])("may be $id", ({ received }) => {
    const list = parseNodeList(received, "test");
    expect(list.nodes).toEqual([{ id: row.id, publicKey: row.publicKey, url: "http://10.0.0.1:9001" }]);
    expect(list.received).toBe(received);
  });

  it("comes in no order, and is put in ascending order of ID", () => {
    const ids = fc.uniqueArray(
      fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 }),
    );
    const property = fc.property(ids, (unordered) => {
      const { nodes } = parseNodeList(
        unordered.map((id) => ({ ...row, id })),
        "test",
      );
      expect(nodes.map(({ id }) => id)).toEqual([...unordered].sort());
    });
    fc.assert(property, seeded(100));
  });

  it.each([
    { id: "no field", without: { ip: row.ip, port: row.port, publicKey: row.publicKey } },
    { id: "null", without: { ...row, id: null } },
    { id: "empty", without: { ...row, id: "" } },
  ])("leaves out and counts nodes without an ID ($id)", ({ without }) => {
    const list = parseNodeList({ nodeList: [without, row, without] }, "test");
    expect(list.nodes.map(({ id }) => id)).toEqual([row.id]);
    expect(list.withoutId).toBe(2);
  });

  it("with the same ID twice is refused", () => {
    const rows = [row, { ...row, id: hex("d") }, { ...row, port: 9002 }];
    expect(wireErrorOf((source) => parseNodeList(rows, source))).toBe(`two nodes have the ID ${row.id}`);
  });

  it("may be empty: what that means is not decided here", () => {
    expect(parseNodeList({ nodeList: [] }, "test").nodes).toEqual([]);
  });

  it.each([
    { id: "null", received: null, says: "expected a node list, got null" },
    { id: "a number", received: 5, says: "expected a node list, got 5" },
    { id: "another object", received: { cycleInfo: [] }, says: "nodeList: " },
    { id: "a list of others", received: [1], says: "[0]: " },
    { id: "a list in a text", received: { nodeList: hostileText }, says: "expected a list of nodes, got" },
  ])("is not $id", ({ received, says }) => {
    expect(wireErrorOf((source) => parseNodeList(received, source))).toContain(says);
  });

  it("has a bound", () => {
    const tooMany = Array.from({ length: nodesMax + 1 }, () => row);
    expect(wireErrorOf((source) => parseNodeList(tooMany, source))).toContain(
      `expected at most ${nodesMax} nodes`,
    );
  });
});
