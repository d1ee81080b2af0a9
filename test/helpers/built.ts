/** Compiled files, for tests that start processes: Node cannot run the sources. */

import { fileURLToPath } from "node:url";

/** The path of a file in `dist/`, which build.ts keeps up to date. */
export function builtFile(name: string): string {
  return fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));
}
