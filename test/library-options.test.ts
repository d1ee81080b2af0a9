import { describe, expect, it } from "vitest";
import { assemble } from "../src/app/assemble.ts";
import { collect } from "../src/app/collect.ts";
import { planAssembly } from "../src/app/plan.ts";
import { type RestoreOptions, restore } from "../src/app/restore.ts";
import { type ServeOptions, serve } from "../src/app/serve.ts";
import { verifySnapshot } from "../src/app/verify.ts";
import { failureOf } from "./app/run.ts";

type Call = (options: object) => Promise<unknown>;

const archiver = "http://127.0.0.1:9";
const assembled = { archiver, timestamp: "latest", out: "out" };
const collected = {
  archiver,
  listen: { host: "127.0.0.1", port: 0 },
  database: "/nowhere/hashes.sqlite",
  signal: AbortSignal.abort(),
};
// What a program in JavaScript can give, whatever the types say.
const calls: Record<string, { call: Call; right: object }> = {
  assemble: { call: assemble as unknown as Call, right: assembled },
  planAssembly: { call: planAssembly as unknown as Call, right: { archiver } },
  collect: { call: collect as unknown as Call, right: collected },
  restore: {
    call: ((options: RestoreOptions) => restore("directory", options)) as unknown as Call,
    right: { to: "archiver" },
  },
  serve: {
    call: ((options: ServeOptions) => serve(["directory"], options)) as unknown as Call,
    right: { listen: { host: "127.0.0.1", port: 0 }, signal: AbortSignal.abort() },
  },
  verifySnapshot: { call: ((options) => verifySnapshot("directory", options)) as Call, right: {} },
};

describe.each(Object.entries(calls))("%s()", (name, { call, right }) => {
  it("refuses an unknown option by its name, and lists the known ones", async () => {
    const failure = await failureOf(call({ ...right, archiverkey: "x" }));
    expect(failure).toMatchObject({
      code: "usage",
      message: `${name}(): unknown option "archiverkey"`,
      hint: expect.stringContaining("archiverKey"),
    });
  });

  it.each([
    { option: "archiverKey", value: "secret" },
    { option: "nodesPerConsensusGroup", value: 0 },
    { option: "nodesPerEdge", value: "2" },
    { option: "signal", value: {} },
  ])("refuses a bad $option by its name, without its value", async ({ option, value }) => {
    const failure = await failureOf(call({ ...right, [option]: value }));
    expect(failure.code).toBe("usage");
    expect(failure.message).toMatch(new RegExp(`^${name}\\(\\): invalid option ${option}: expected `));
    expect(failure.message).not.toContain("secret");
  });

  it("refuses a value that is not an object", async () => {
    const options = null as unknown as object;
    expect(await failureOf(call(options))).toMatchObject({ code: "usage" });
  });
});

it.each([
  { option: "timestamp", value: true },
  { option: "timestamp", value: { kind: "cycle", counter: "8" } },
  { option: "timestamp", value: undefined },
  { option: "out", value: "" },
  { option: "out", value: undefined },
  { option: "concurrency", value: 1.5 },
  { option: "quorum", value: "all" },
  { option: "order", value: "random" },
  { option: "compression", value: "zip" },
  { option: "archiver", value: "localhost" },
  { option: "stallTimeoutMs", value: Number.NaN },
  { option: "connectTimeoutMs", value: 2 ** 31 },
  { option: "maxAgeMs", value: -1 },
  { option: "requireChain", value: "yes" },
  { option: "reporter", value: () => undefined },
])("assemble() refuses the $option $value", async ({ option, value }) => {
  const failure = await failureOf(assemble({ ...assembled, [option]: value } as never));
  expect(failure).toMatchObject({
    code: "usage",
    message: expect.stringContaining(`option ${option}: expected `),
  });
});

it.each([
  { option: "listen", value: { host: "127.0.0.1", port: 65_536 } },
  { option: "keep", value: { cycles: 0 } },
  { option: "pollMs", value: 0 },
  { option: "database", value: undefined },
])("collect() refuses the $option $value", async ({ option, value }) => {
  const failure = await failureOf(collect({ ...collected, [option]: value } as never));
  expect(failure).toMatchObject({
    code: "usage",
    message: expect.stringContaining(`option ${option}: expected `),
  });
});

it.each([{ subset: { oneIn: 3 } }, { subset: { oneIn: 3, first: 3 } }, { subset: { percent: 0, seed: 1 } }])(
  "verifySnapshot() refuses %j",
  async (options) => {
    expect(await failureOf(verifySnapshot("directory", options as never))).toMatchObject({ code: "usage" });
  },
);
