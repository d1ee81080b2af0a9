/** Temporary directories of tests, which are removed when the test ends. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Makes a directory for the running test. */
export function temporaryDirectory(): string {
  const directory = makeTemporaryDirectory();
  onTestFinished(() => removeDirectory(directory));
  return directory;
}

/** Makes a directory that the caller removes. */
export function makeTemporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "snapshot-assemble-test-"));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
