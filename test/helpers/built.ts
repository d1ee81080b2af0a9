/** What `npm run build` has made, for tests that need a process of its own: Node cannot run the sources. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The path of a file in `dist/`. */
export function builtFile(name: string): string {
  const path = fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));
  if (existsSync(path)) return path;
  throw new Error(`dist/${name} is not there: run "npm run build" before these tests`);
}
