/** Where the seeds of a run come from. */

import { SnapshotError } from "../errors/snapshot-error.ts";

export type SeedSource =
  /** The newest snapshot and the partial ones in the output directory. */
  | { readonly kind: "auto" }
  /** A published or partial snapshot. */
  | { readonly kind: "directory"; readonly path: string };

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
    if (value.trim() !== "" && !value.includes("\0")) return { kind: "directory", path: value };
    throw new SnapshotError(
      "usage",
      `--seed: expected auto, none or a directory, got ${JSON.stringify(value)}`,
    );
  });
}
