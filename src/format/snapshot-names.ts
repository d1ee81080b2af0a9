/** The names of snapshot directories and of their files (FORMAT.md, Layout). */

export const EVIDENCE_DIRECTORY = "evidence";

export function snapshotName(timestamp: number): string {
  return `snapshot-${timestamp}`;
}

/** Returns whether a name is that of a file directly in the directory, and not a path. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(name);
}
