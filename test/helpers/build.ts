/**
 * Builds `dist/` before the tests if it is stale. Threads, WebAssembly and child processes run the compiled files,
 * because Node cannot run the sources.
 *
 * A stamp records a hash of all inputs of the build and one of all its outputs. The build is stale if either differs,
 * whatever the modification times are.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("../../", import.meta.url));
const inputs = [
  "src",
  "assembly",
  "tsconfig.json",
  "tsconfig.build.json",
  "package.json",
  "package-lock.json",
];
const stampPath = join(root, "node_modules/.cache/snapshot-assemble/build-stamp");

/** Vitest runs this before all tests, and in watch mode before each further run. */
export function setup(project: TestProject): void {
  buildIfStale();
  project.onTestsRerun(() => buildIfStale());
}

function buildIfStale(): void {
  if (existsSync(stampPath) && readFileSync(stampPath, "utf8") === stampOfNow()) return;
  process.stderr.write("dist/ is stale: npm run build\n");
  try {
    execFileSync("npm", ["run", "build"], { cwd: root, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`npm run build failed:\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
  removeOrphans();
  mkdirSync(dirname(stampPath), { recursive: true });
  // A copy of node_modules by hard links must not share the stamp.
  rmSync(stampPath, { force: true });
  writeFileSync(stampPath, stampOfNow());
}

/** Removes compiled files without a source, so that an import of one fails as in a fresh checkout. */
function removeOrphans(): void {
  for (const file of filesIn("dist")) {
    const source = file.replace(/^dist/, "src").replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts");
    if (source.endsWith(".ts") && !existsSync(join(root, source))) rmSync(join(root, file));
  }
}

function stampOfNow(): string {
  return `inputs ${hashOf(inputs.flatMap(filesIn))}\noutputs ${hashOf(filesIn("dist"))}\n`;
}

/** The hash of the paths and contents of files. */
function hashOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    const content = readFileSync(join(root, file));
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/** The files at a path, sorted; none if it does not exist. */
function filesIn(path: string): string[] {
  if (!existsSync(join(root, path))) return [];
  if (/\.json$/.test(path)) return [path];
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}
