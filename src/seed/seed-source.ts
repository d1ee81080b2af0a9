/** Where the seeds of a run come from. */

import { SnapshotError } from "../errors/snapshot-error.ts";

export type SeedSource =
  /** The newest snapshot and the partial ones in the output directory. */
  | { readonly kind: "auto" }
  /** A published or partial snapshot. */
  | { readonly kind: "directory"; readonly path: string }
  /** The database of an archiver, or the folder that it is in. */
  | { readonly kind: "archiver"; readonly path: string };

const ARCHIVER_PREFIX = "archiver-db:";

/**
 * Parses the values of `--seed`.
 *
 * @throws SnapshotError `usage`
 */
export function seedSourcesOf(values: readonly string[]): SeedSource[] {
  if (values.includes("none")) {
    if (values.length === 1) return [];
    throw new SnapshotError("usage", "--seed none is given beside another seed", {
      hint: "Leave out one of them.",
    });
  }
  return values.map((value): SeedSource => {
    if (value === "auto") return { kind: "auto" };
    const isArchiver = value.startsWith(ARCHIVER_PREFIX);
    const path = isArchiver ? value.slice(ARCHIVER_PREFIX.length) : value;
    if (path.trim() !== "" && !path.includes("\0"))
      return { kind: isArchiver ? "archiver" : "directory", path };
    throw new SnapshotError(
      "usage",
      `--seed: expected auto, none, a directory or ${ARCHIVER_PREFIX}<path>, got ${JSON.stringify(value)}`,
    );
  });
}
