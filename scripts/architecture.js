#!/usr/bin/env node
/**
 * Makes the lint rules of imports (`biome.imports.json`) and the table in `docs/ARCHITECTURE.md` from
 * `architecture.json`. With `--check` it writes nothing, and fails where a file is not up to date.
 *
 * The linter matches the text of an import, so each folder has one override per depth. Everything is refused first;
 * then what the table lists is permitted, written as it is from that depth. In a group, the last pattern that matches
 * wins.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const RULES_FILE = "biome.imports.json";
const DOCUMENT = "docs/ARCHITECTURE.md";
const TABLE = /(<!-- table:begin[^>]*-->\n)[\s\S]*?(<!-- table:end -->)/;

const table = JSON.parse(read("architecture.json"));

function read(file) {
  return readFileSync(new URL(file, root), "utf8");
}

/** The patterns for files that many folders below `src`: what matches is refused, unless a later `!` permits it. */
function patternsAt(depth, { imports, modules }) {
  const src = depth === 0 ? "./" : "../".repeat(depth);
  // A file at the root of src may not import just any folder beside it.
  const own = depth === 0 ? [] : ["!./**", ...(depth === 1 ? [] : ["!../**", `${src}**`])];
  const permitted = imports.map((to) => `!${src}${to}${to.endsWith(".ts") ? "" : "/**"}`);
  // `../protocol/../fetch/x.ts`: no `..` follows a name.
  const detours = ["./**/../**", `${"*/".repeat(Math.max(1, depth))}**/../**`];
  return ["**", ...own, ...permitted, ...modules.map((name) => `!${name}`), ...detours];
}

function override(includes, group, message) {
  const rule = { level: "error", options: { patterns: [{ group, message }] } };
  return { includes: [includes], linter: { rules: { style: { noRestrictedImports: rule } } } };
}

function lintRules() {
  const { folders, exceptions, depthMax } = table;
  const unknown = `src has the folders of architecture.json, at most ${depthMax} deep.`;
  const overrides = [
    override("src/**", ["**"], unknown),
    override("src/*.ts", patternsAt(0, { ...table.root, modules: [] }), messageFor("src", table.root)),
  ];
  for (const [folder, row] of Object.entries(folders)) {
    for (let depth = 1; depth <= depthMax; depth++) {
      const files = `src/${folder}/${"*/".repeat(depth - 1)}*.ts`;
      overrides.push(override(files, patternsAt(depth, row), messageFor(`src/${folder}`, row)));
    }
  }
  for (const { file, imports, modules } of exceptions) {
    const [folder, ...rest] = file.split("/");
    const row = folders[folder];
    const merged = { imports: [...row.imports, ...imports], modules: [...row.modules, ...modules] };
    overrides.push(
      override(`src/${file}`, patternsAt(rest.length, merged), messageFor(`src/${file}`, merged)),
    );
  }
  // One override a line, for readable differences.
  return `{"overrides": [\n${overrides.map((one) => JSON.stringify(one)).join(",\n")}\n]}\n`;
}

function messageFor(name, { imports, modules = [] }) {
  const permitted = [...imports, ...modules].join(", ") || "nothing";
  return `${name} may import, outside of itself: ${permitted}. See architecture.json.`;
}

function documentTable() {
  const rows = Object.entries(table.folders).map(
    ([folder, { layer, owns, knowsNothingOf, imports, modules }]) => {
      const permitted = imports.map((name) => `\`${name}\``).join(", ") || "nothing";
      const packages = modules.map((name) => `\`${name}\``).join(", ") || "none";
      return `| ${layer} | \`${folder}/\` | ${owns} | ${knowsNothingOf} | ${permitted} | ${packages} |`;
    },
  );
  const exceptions = table.exceptions.map(({ file, imports, modules, reason }) => {
    const names = [...imports, ...modules].map((name) => `\`${name}\``).join(", ");
    return `- \`src/${file}\` also imports ${names}. ${reason}`;
  });
  return [
    "| layer | folder | owns | knows nothing of | may import | packages and Node modules |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows.reverse(),
    "",
    "Exceptions, each for one file:",
    "",
    ...exceptions,
    "",
  ].join("\n");
}

const isCheck = process.argv.includes("--check");
const document = read(DOCUMENT);
if (!TABLE.test(document)) throw new Error(`${DOCUMENT} has no place for the table`);
const made = {
  [RULES_FILE]: lintRules(),
  [DOCUMENT]: document.replace(TABLE, (_, begin, end) => `${begin}${documentTable()}${end}`),
};
for (const [file, content] of Object.entries(made)) {
  let present;
  try {
    present = read(file);
  } catch {
    present = undefined;
  }
  if (present === content) continue;
  if (isCheck) {
    process.stderr.write(`${file} is not up to date: run "npm run architecture"\n`);
    process.exitCode = 1;
  } else writeFileSync(fileURLToPath(new URL(file, root)), content);
}
