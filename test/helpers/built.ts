/** What `npm run build` made, for tests that need a process of their own: Node cannot run the sources. */

import { fileURLToPath } from "node:url";

/** The path of a file in `dist/`, which is up to date: see build.ts. */
export function builtFile(name: string): string {
  return fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));
}
