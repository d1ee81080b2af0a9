/** The rules of imports bite: planted violations are found, and what is allowed is not. */

import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTemporaryDirectory, removeDirectory } from "./temporary.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
const rule = "lint/style/noRestrictedImports";

const steps = ["plan", "fetch", "merge", "gossip", "chain", "verify", "store"];
const pure = ["model", "wire", "plan", "gossip", "chain", "verify"];

/** Each file imports one thing from one folder. */
const forbidden = [
  ...["wire", ...steps, "assemble", "ui", "cli", "cluster", "validator"].map((to) => ({
    from: "model",
    to: `../${to}/x.ts`,
  })),
  ...[...steps, "assemble", "ui", "cli", "cluster"].map((to) => ({ from: "wire", to: `../${to}/x.ts` })),
  ...steps.flatMap((from) =>
    [...steps, "assemble", "ui", "cli", "cluster", "validator"]
      .filter((to) => to !== from)
      .map((to) => ({ from, to: `../${to}/x.ts` })),
  ),
  ...["ui", "cli", "cluster", "validator", "collect"].map((to) => ({
    from: "assemble",
    to: `../${to}/x.ts`,
  })),
  ...["ui", "cli", "cluster", "validator", "assemble"].map((to) => ({
    from: "collect",
    to: `../${to}/x.ts`,
  })),
  ...["ui", "cli", "assemble", "collect", "store"].map((to) => ({ from: "network", to: `../${to}/x.ts` })),
  ...["cli", "cluster", "merge", "fetch", "store"].map((to) => ({ from: "ui", to: `../${to}/x.ts` })),
  { from: "ui", to: "../assemble/assemble.ts" },
  ...["assemble", "collect", "cli", "ui"].flatMap((to) => [
    { from: "validator", to: `../${to}/x.ts` },
    { from: "cluster", to: `../${to}/x.ts` },
  ]),
  ...pure.flatMap((from) =>
    ["node:fs", "node:fs/promises", "node:http", "node:net", "undici"].map((to) => ({ from, to })),
  ),
  { from: "cli", to: "undici" },
  { from: "cli", to: "hash-wasm" },
  { from: "cli", to: "../model/hash.ts" },
  { from: "cli", to: "../fetch/x.ts" },
];

const allowed = [
  { from: "model", to: "./x.ts" },
  { from: "model", to: "node:crypto" },
  { from: "wire", to: "../model/x.ts" },
  ...steps.flatMap((from) => ["./x.ts", "../wire/x.ts", "../model/x.ts"].map((to) => ({ from, to }))),
  ...[...steps, "wire", "model"].map((to) => ({ from: "assemble", to: `../${to}/x.ts` })),
  ...["network", "store", "gossip", "fetch", "wire", "model"].map((to) => ({
    from: "collect",
    to: `../${to}/x.ts`,
  })),
  ...["assemble", "collect", "ui", "cluster", "model"].map((to) => ({ from: "cli", to: `../${to}/x.ts` })),
  { from: "cluster", to: "../validator/x.ts" },
  { from: "fetch", to: "undici" },
  { from: "store", to: "node:fs/promises" },
  { from: "ui", to: "../assemble/reporter.ts" },
];

const planted = [...forbidden, ...allowed].map((one, number) => ({
  ...one,
  file: `src/${one.from}/planted-${number}.ts`,
}));

/** The planted files in which the linter finds an import that may not be. */
async function lint(directory: string): Promise<Set<string>> {
  const args = [biome, "lint", "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none", "src"];
  const run = promisify(execFile)(process.execPath, args, { cwd: directory, maxBuffer: 64 * 1024 * 1024 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string | { file: string } } }[];
  };
  const found = diagnostics.filter(({ category }) => category === rule);
  return new Set(found.map(({ location: { path } }) => (typeof path === "string" ? path : path.file)));
}

describe("the linter", () => {
  const directory = makeTemporaryDirectory();
  let found: Set<string>;

  beforeAll(async () => {
    copyFileSync(join(root, "biome.json"), join(directory, "biome.json"));
    for (const { file, to } of planted) {
      mkdirSync(join(directory, dirname(file)), { recursive: true });
      writeFileSync(join(directory, file), `export { planted } from "${to}";\n`);
    }
    found = await lint(directory);
  });
  afterAll(() => removeDirectory(directory));

  const verdicts = (rows: readonly { from: string; to: string }[]) =>
    rows.map(({ from, to }) => {
      const file = planted.find((one) => one.from === from && one.to === to)?.file ?? "";
      return `${from} → ${to}: ${found.has(file) ? "refused" : "passed"}`;
    });

  it("refuses each import against the direction", () => {
    expect(verdicts(forbidden)).toEqual(forbidden.map(({ from, to }) => `${from} → ${to}: refused`));
  });

  it("lets each import along the direction pass", () => {
    expect(verdicts(allowed)).toEqual(allowed.map(({ from, to }) => `${from} → ${to}: passed`));
  });
});

it("the sources keep to the rules", async () => {
  expect([...(await lint(root))]).toEqual([]);
});
