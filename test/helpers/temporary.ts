/** Directories of a test's own, which are gone when it has ended. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new directory for the running test. */
export function temporaryDirectory(): string {
  const directory = makeTemporaryDirectory();
  onTestFinished(() => removeDirectory(directory));
  return directory;
}

/** A new directory for whoever removes it himself. */
export function makeTemporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "snapshot-assemble-test-"));
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
