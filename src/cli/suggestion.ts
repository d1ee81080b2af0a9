/** Suggests the option that an unknown one means, by the meaning of its name; commander suggests by spelling. */

import type { Command } from "commander";
import { synonyms } from "../options/synonyms.ts";

/** Returns `Did you mean --hash-db?` for `--db`; `undefined` if the command has no option with that meaning. */
export function suggestionFor(unknown: string, { options }: Pick<Command, "options">): string | undefined {
  const known = new Set(options.map(({ long }) => long));
  const meant = (synonyms[unknown] ?? []).filter((flag) => known.has(flag));
  if (meant.length === 0) return undefined;
  return `Did you mean ${meant.length > 1 ? "one of " : ""}${meant.join(", ")}?`;
}
