/** The import rules of `architecture.json`: planted violations are found at every depth, and what is permitted is not. */

import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTemporaryDirectory, removeDirectory } from "./helpers/temporary.ts";

interface Row {
  readonly layer: number | "–";
  readonly imports: readonly string[];
  readonly modules: readonly string[];
}

interface Architecture {
  readonly depthMax: number;
  readonly folders: Readonly<Record<string, Row>>;
  readonly root: Pick<Row, "imports">;
  readonly exceptions: readonly (Pick<Row, "imports" | "modules"> & { readonly file: string })[];
}

/** One import of a planted file. */
interface PlantedImport {
  readonly specifier: string;
  readonly isPermitted: boolean;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
const rule = "lint/style/noRestrictedImports";
const table = JSON.parse(readFileSync(join(root, "architecture.json"), "utf8")) as Architecture;
const folders = Object.keys(table.folders);
const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
const deepest = ["one", "two", "three", "four", "five"];

const everyModule = [
  ...new Set([
    ...Object.values(table.folders).flatMap(({ modules }) => modules),
    ...["fs", "fs/promises", "http", "hash-wasm", "node:http2", "node:child_process", "undici/types/pool.js"],
  ]),
];

/** Everything that a file might import. `up` leads from the file to `src`. */
function importsAt(folder: string, depth: number, row: Pick<Row, "imports" | "modules">): PlantedImport[] {
  const up = "../".repeat(depth);
  const permitted = new Set(row.imports);
  const others = folders.filter((to) => to !== folder);
  const planted: [string, boolean][] = [
    ["./x.ts", true],
    ["./deeper/x.ts", true],
    ...(depth > 1
      ? ([
          ["../x.ts", true],
          ["../sibling/x.ts", true],
        ] as [string, boolean][])
      : []),
    ...others.flatMap((to): [string, boolean][] => [
      [`${up}${to}/planted.ts`, permitted.has(to)],
      [`${up}${to}/deeper/planted.ts`, permitted.has(to)],
    ]),
    ...row.imports
      .filter((to) => to.includes("/"))
      .map((to): [string, boolean] => [`${up}${to}${to.endsWith(".ts") ? "" : "/planted.ts"}`, true]),
    // By a detour, even what is permitted.
    ...others.slice(0, 2).flatMap((to): [string, boolean][] => [
      [`./${up}${to}/planted.ts`, false],
      [`${up}${others[2]}/../${to}/planted.ts`, false],
      [`${up}${folder}/../${to}/planted.ts`, false],
      [`./deeper/${"../".repeat(depth + 1)}${to}/planted.ts`, false],
    ]),
    [`${up}${folder}/x.ts`, false],
    [`${up}index.ts`, false],
    [`${up}../dist/index.js`, false],
    [`${up}../src/${folder}/x.ts`, false],
    [`${up}../test/x.ts`, false],
    [`/src/${folder}/x.ts`, false],
    ...everyModule.map((name): [string, boolean] => [name, row.modules.includes(name)]),
  ];
  return planted.map(([specifier, isPermitted]) => ({ specifier, isPermitted }));
}

/** Planted files, with what they import: a line each. */
const planted = new Map<string, readonly PlantedImport[]>();
for (const [folder, row] of Object.entries(table.folders)) {
  for (let depth = 1; depth <= table.depthMax; depth++) {
    const path = ["src", folder, ...deepest.slice(0, depth - 1), "planted.ts"].join("/");
    planted.set(path, importsAt(folder, depth, row));
  }
}
for (const { file, imports, modules } of table.exceptions) {
  const [folder = "", ...rest] = file.split("/");
  const row = table.folders[folder] ?? { imports: [], modules: [] };
  const merged = { imports: [...row.imports, ...imports], modules: [...row.modules, ...modules] };
  planted.set(`src/${file}`, importsAt(folder, rest.length, merged));
}
planted.set("src/index.ts", [
  ...folders.map((to) => ({ specifier: `./${to}/x.ts`, isPermitted: table.root.imports.includes(to) })),
  { specifier: "./agreement/../testnet/x.ts", isPermitted: false },
  { specifier: "undici", isPermitted: false },
]);
const refusedAltogether = [{ specifier: "./x.ts", isPermitted: false }];
planted.set(`src/sync/${deepest.slice(0, table.depthMax).join("/")}/too-deep.ts`, refusedAltogether);
planted.set("src/unlisted/x.ts", refusedAltogether);
planted.set("src/sync/forms.ts", [{ specifier: "undici", isPermitted: false }]);

/** Ways to import that are no `export … from`. */
const forms = ['import "undici";', 'import type { a } from "undici";', 'await import("undici");'];

interface Report {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly location: {
      readonly path: string | { readonly file: string };
      readonly start: { readonly line: number };
    };
  }[];
}

/** The lines in which the linter finds an import that may not be, as `path:line`. */
async function lint(directory: string): Promise<Set<string>> {
  const args = [biome, "lint", "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none"];
  const only = [`--only=${rule.replace("lint/", "")}`, "src"];
  const run = promisify(execFile)(process.execPath, [...args, ...only], {
    cwd: directory,
    maxBuffer: 256 * 1024 * 1024,
  });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const found = (JSON.parse(stdout) as Report).diagnostics.filter(({ category }) => category === rule);
  return new Set(
    found.map(
      ({ location: { path, start } }) => `${typeof path === "string" ? path : path.file}:${start.line}`,
    ),
  );
}

describe("the linter", () => {
  const directory = makeTemporaryDirectory();
  let found: Set<string>;

  beforeAll(async () => {
    for (const file of ["biome.json", "biome.imports.json"])
      copyFileSync(join(root, file), join(directory, file));
    for (const [file, imports] of planted) {
      mkdirSync(join(directory, dirname(file)), { recursive: true });
      const lines = imports.map(({ specifier }) => `export { planted } from "${specifier}";\n`);
      writeFileSync(join(directory, file), lines.join(""));
    }
    writeFileSync(join(directory, "src/sync/forms.ts"), forms.join("\n"));
    found = await lint(directory);
  });
  afterAll(() => removeDirectory(directory));

  /** Imports that the linter judges otherwise than the table. */
  const misjudged = (isPermitted: boolean) =>
    [...planted].flatMap(([file, imports]) =>
      imports.flatMap((one, index) =>
        one.isPermitted === isPermitted && found.has(`${file}:${index + 1}`) === isPermitted
          ? [`${file} → ${one.specifier}`]
          : [],
      ),
    );

  it("refuses every import that the table does not list, at every depth", () => {
    expect(misjudged(false)).toEqual([]);
  });

  it("passes every import that the table lists, at every depth", () => {
    expect(misjudged(true)).toEqual([]);
  });

  it("refuses an import in each of its forms", () => {
    expect(forms.map((_, index) => found.has(`src/sync/forms.ts:${index + 1}`))).toEqual(
      forms.map(() => true),
    );
  });

  it("has something to refuse and something to pass in each folder", () => {
    const kinds = [...planted].filter(([file]) => file.endsWith("/planted.ts"));
    expect(kinds.length).toBe(folders.length * table.depthMax);
    for (const [, imports] of kinds) {
      expect(new Set(imports.map(({ isPermitted }) => isPermitted))).toEqual(new Set([true, false]));
    }
  });
});

describe("the table", () => {
  it("lists exactly the folders of src", () => {
    const present = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(present.map(({ name }) => name).sort()).toEqual([...folders].sort());
  });

  it("permits imports downward only, and none among the folders of layer 3", () => {
    const layerOf = (folder: string) => table.folders[folder]?.layer;
    const upward = folders.flatMap((from) =>
      (table.folders[from]?.imports ?? []).flatMap((entry) => {
        const to = entry.split("/")[0] ?? "";
        const [a, b] = [layerOf(from), layerOf(to)];
        if (a === "–" || b === "–") return [];
        if (a === undefined || b === undefined || b > a || (a === 3 && b === 3))
          return [`${from} → ${entry}`];
        return [];
      }),
    );
    expect(upward).toEqual([]);
  });

  it("has no cycle", () => {
    const order: string[] = [];
    const visit = (folder: string, path: readonly string[]): void => {
      if (path.includes(folder)) throw new Error([...path, folder].join(" → "));
      if (order.includes(folder)) return;
      for (const to of table.folders[folder]?.imports ?? []) visit(to.split("/")[0] ?? "", [...path, folder]);
      order.push(folder);
    };
    for (const folder of folders) visit(folder, []);
    expect(order.sort()).toEqual([...folders].sort());
  });

  it("keeps packages with effects to one folder", () => {
    const holders = (name: string) =>
      folders.filter((folder) => table.folders[folder]?.modules.includes(name));
    expect(holders("libsql")).toEqual(["store"]);
    expect(holders("undici")).toEqual(["fetch", "testnet"]);
    expect(holders("commander")).toEqual(["cli"]);
    expect(holders("cli-progress")).toEqual(["ui"]);
    const importers = (name: string) =>
      folders.filter((folder) => table.folders[folder]?.imports.includes(name));
    expect(importers("testnet")).toEqual(["cli"]);
    expect(importers("simulator")).toEqual([]);
  });

  it("names only files that exist", () => {
    const entries = [...Object.values(table.folders), ...table.exceptions].flatMap(({ imports }) => imports);
    const named = [...entries, ...table.exceptions.map(({ file }) => file)];
    expect(named.filter((file) => !existsSync(join(root, "src", file)))).toEqual([]);
  });

  it("has no exception that nothing uses", () => {
    const unused = table.exceptions.flatMap(({ file, imports, modules }) => {
      const text = readFileSync(join(root, "src", file), "utf8");
      return [...imports, ...modules]
        .filter((name) => !text.includes(`${name}"`))
        .map((name) => `${file} → ${name}`);
    });
    expect(unused).toEqual([]);
  });
});

describe("the sources", () => {
  it("import nothing that the table does not list", async () => {
    expect([...(await lint(root))]).toEqual([]);
  });

  it("load nothing in a form that the linter does not see", () => {
    const hidden = sources.filter((file) => {
      if (!file.endsWith(".ts")) return false;
      const text = readFileSync(join(root, "src", file), "utf8");
      return /\bimport\((?!\s*")|(?:typeof |[:<|&=] ?)import\("\.|(?<![#.\w])require\(\s*["'`]/.test(text);
    });
    expect(hidden).toEqual([]);
  });
});

it("the generated files are up to date", async () => {
  const script = join(root, "scripts", "architecture.js");
  await expect(promisify(execFile)(process.execPath, [script, "--check"])).resolves.toMatchObject({
    stderr: "",
  });
});
