/** The names of snapshot directories, and what a file in one may be called (FORMAT.md). */

export const EVIDENCE_DIRECTORY = "evidence";

export function snapshotName(timestamp: number): string {
  return `snapshot-${timestamp}`;
}

/** Whether a name can only be that of a file right inside of the directory. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(name);
}
