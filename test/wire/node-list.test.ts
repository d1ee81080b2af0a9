import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodesMax } from "../../src/limits/network.ts";
import { isHex64 } from "../../src/protocol/address.ts";
import { parseNodeList } from "../../src/wire/node-list.ts";
import { describeRowProblems } from "../../src/wire/row-problems.ts";
import { seeded } from "../helpers/seeded.ts";
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
    { id: "a string as port", changes: { port: "9002" }, url: "http://10.0.0.1:9002" },
    {
      id: "an external address",
      changes: { externalIp: "1.2.3.4", externalPort: 80 },
      url: "http://1.2.3.4:80",
    },
    { id: "a string as external port", changes: { externalPort: "81" }, url: "http://10.0.0.1:81" },
    { id: "an external ip without a port", changes: { externalIp: "1.2.3.4" }, url: "http://1.2.3.4:9001" },
    {
      id: "null external fields",
      changes: { externalIp: null, externalPort: null },
      url: "http://10.0.0.1:9001",
    },
    {
      id: "empty external fields",
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
    { id: "unknown fields", changes: { status: "active", rank: 1 }, url: "http://10.0.0.1:9001" },
  ])("with $id has the URL $url", ({ changes, url }) => {
    expect(urlOf(changes)).toBe(url);
    expect(new URL(url).origin).toBe(url.replace(/:80$/, ""));
  });

  it.each([
    { id: "no ip", changes: { ip: undefined }, says: "host nothing" },
    { id: "an invalid IPv4 address", changes: { ip: "256.1.1.1" }, says: 'host "256.1.1.1"' },
    { id: "an IPv4 address of five numbers", changes: { ip: "1.2.3.4.5" }, says: 'host "1.2.3.4.5"' },
    { id: "an invalid IPv6 address", changes: { ip: "1::2::3" }, says: 'host "1::2::3"' },
    { id: "an ip with a port", changes: { ip: "10.0.0.1:80" }, says: 'host "10.0.0.1:80"' },
    { id: "an ip with a path", changes: { ip: "10.0.0.1/x?" }, says: 'host "10.0.0.1/x?"' },
    { id: "an ip with a user", changes: { ip: "good@evil" }, says: 'host "good@evil"' },
    { id: "no port", changes: { port: undefined }, says: "port nothing" },
    { id: "port 0", changes: { port: 0 }, says: "port 0" },
    { id: "port 65536", changes: { port: "65536" }, says: 'port "65536"' },
    { id: "a fractional port", changes: { port: 80.5 }, says: "port 80.5" },
    { id: "a port that is not a number", changes: { port: "http" }, says: 'port "http"' },
    { id: "an external port out of range", changes: { externalPort: -1 }, says: "port -1" },
    { id: "a number as external ip", changes: { externalIp: 5 }, says: "host 5" },
    { id: "hostile text as ip", changes: { ip: hostileText }, says: "host " },
  ])("with $id has no URL", ({ changes, says }) => {
    const { nodes, withoutAddress, skipped } = parseNodeList({ nodeList: [{ ...row, ...changes }] }, "test");
    expect(nodes).toEqual([{ id: row.id, publicKey: row.publicKey, url: undefined }]);
    expect(withoutAddress.count).toBe(1);
    expect(withoutAddress.first[0]).toContain(says);
    expect(skipped.count).toBe(0);
  });

  it.each([
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
      id: "a short id",
      changes: { id: "abc" },
      says: '[0].id: expected 64 lower-case hex digits, got "abc"',
    },
    { id: "an object as id", changes: { id: {} }, says: "[0].id: " },
    {
      id: "hostile text as id",
      changes: { id: hostileText },
      says: "[0].id: expected 64 lower-case hex digits, got ",
    },
  ])(
    "with $id is left out with a message that names field, expected and actual value",
    ({ changes, says }) => {
      const other = { ...row, id: hex("e"), publicKey: hex("f") };
      const { nodes, skipped } = parseNodeList({ nodeList: [{ ...row, ...changes }, other] }, "test");
      expect(nodes.map(({ id }) => id)).toEqual([other.id]);
      expect(skipped.count).toBe(1);
      expect(skipped.first[0]).toContain(says);
    },
  );
});

describe("a list of random rows", () => {
  it("has exactly the rows with an ID and a key as nodes", () => {
    const rare = [
      null,
      "",
      0,
      65_536,
      1.5,
      -1,
      "80",
      "10.0.0.1",
      "256.1.1.1",
      "a/b",
      "x".repeat(256),
      [],
      {},
    ];
    const any = fc.constantFrom<unknown>(...rare);
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
    const anyRow = fc.oneof(
      {
        weight: 9,
        arbitrary: fc.record({ id: digits, publicKey: digits, ip: any, port: any, externalIp: any }),
      },
      fc.record({ id: any, publicKey: any, ip: any }),
      any,
    );
    const property = fc.property(fc.array(anyRow, { maxLength: 8 }), (rows) => {
      const members = rows.flatMap((one) => {
        const { id, publicKey } = (one ?? {}) as { id?: unknown; publicKey?: unknown };
        return isHex64(id) && isHex64(publicKey) ? [id] : [];
      });
      const list = parseNodeList(rows, "test");
      expect(list.nodes.map(({ id }) => id)).toEqual(members.sort());
      expect(list.nodes.length + list.skipped.count + list.withoutId).toBe(rows.length);
      for (const { url } of list.nodes) expect(url === undefined || URL.canParse(url)).toBe(true);
    });
    fc.assert(property, seeded(1000));
  });
});

describe("a node list", () => {
  it.each([
    { id: "an archiver's response", received: { nodeList: [row], sign: { owner: hex("c"), sig: "" } } },
    { id: "a list of nodes", received: [row] },
    { id: "a response with a total", received: { nodeList: [row], totalCount: 1 } },
  ])("can be parsed from $id", ({ received }) => {
    const list = parseNodeList(received, "test");
    expect(list.nodes).toEqual([{ id: row.id, publicKey: row.publicKey, url: "http://10.0.0.1:9001" }]);
    expect(list.received).toBe(received);
  });

  it("is sorted in ascending order of ID", () => {
    const ids = fc.uniqueArray(
      fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 }),
    );
    const property = fc.property(ids, (unordered) => {
      const { nodes } = parseNodeList(
        unordered.map((id, index) => ({ ...row, id, publicKey: String(index).padStart(64, "0") })),
        "test",
      );
      expect(nodes.map(({ id }) => id)).toEqual([...unordered].sort());
    });
    fc.assert(property, seeded(100));
  });

  it.each([
    { id: "missing", without: { ip: row.ip, port: row.port, publicKey: row.publicKey } },
    { id: "null", without: { ...row, id: null } },
    { id: "empty", without: { ...row, id: "" } },
  ])("leaves out and counts nodes whose ID is $id", ({ without }) => {
    const list = parseNodeList({ nodeList: [without, row, without] }, "test");
    expect(list.nodes.map(({ id }) => id)).toEqual([row.id]);
    expect(list.withoutId).toBe(2);
  });

  it("with a duplicate ID is rejected", () => {
    const rows = [row, { ...row, id: hex("d"), publicKey: hex("1") }, { ...row, publicKey: hex("2") }];
    expect(wireErrorOf((source) => parseNodeList(rows, source))).toBe(`two nodes have the ID ${row.id}`);
  });

  it("with a duplicate key is rejected with a message that names both nodes", () => {
    const rows = [{ ...row, id: hex("d") }, { ...row, id: hex("e"), publicKey: hex("1") }, row];
    expect(wireErrorOf((source) => parseNodeList(rows, source))).toBe(
      `the nodes ${row.id} and ${hex("d")} have the same public key ${row.publicKey}`,
    );
  });

  it("describes the first few malformed rows, and counts all of them", () => {
    const { skipped } = parseNodeList(new Array(1000).fill({ id: "x" }), "test");
    expect(skipped).toMatchObject({ count: 1000, first: { length: 3 } });
    expect(describeRowProblems(skipped)).toContain("; and 997 more");
  });

  it("may be empty", () => {
    expect(parseNodeList({ nodeList: [] }, "test").nodes).toEqual([]);
  });

  it.each([
    { id: "null", received: null, says: "expected a node list, got null" },
    { id: "a number", received: 5, says: "expected a node list, got 5" },
    { id: "another object", received: { cycleInfo: [] }, says: "nodeList: " },
    { id: "a string as list", received: { nodeList: hostileText }, says: "expected a list of nodes, got" },
  ])("cannot be parsed from $id", ({ received, says }) => {
    expect(wireErrorOf((source) => parseNodeList(received, source))).toContain(says);
  });

  it("with too many nodes is rejected", () => {
    const tooMany = Array.from({ length: nodesMax + 1 }, () => row);
    expect(wireErrorOf((source) => parseNodeList(tooMany, source))).toContain(
      `expected at most ${nodesMax} nodes`,
    );
  });
});
