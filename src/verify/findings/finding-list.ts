/** Collects findings: a bounded number of them, each printable. */

import { findingCharactersMax, findingsMax } from "../../limits/snapshot.ts";
import { printable } from "../../text/printable.ts";
import { quoted } from "../../wire/parse.ts";
import type { Finding, FindingKind } from "./findings.ts";

/** Optional fields of a finding. */
type Particulars = Pick<Finding, "partition" | "claim">;

export class FindingList {
  readonly #kept: Finding[] = [];
  readonly #known = new Set<string>();
  #omitted = 0;

  get all(): readonly Finding[] {
    return this.#kept;
  }

  /** The number of findings beyond those that are kept. */
  get omitted(): number {
    return this.#omitted;
  }

  /** Adds a finding. A problem that two checks find in one file is one finding. */
  add(kind: FindingKind, file: string, problem: string, particulars: Particulars = {}): void {
    // Beyond the bound, findings are only counted.
    if (this.#kept.length === findingsMax) {
      this.#omitted++;
      return;
    }
    const finding = { kind, file: quoted(file), ...particulars, problem: shown(problem) };
    const key = JSON.stringify([kind, finding.file, finding.problem]);
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#kept.push(finding);
  }
}

function shown(problem: string): string {
  const short =
    problem.length > findingCharactersMax ? `${problem.slice(0, findingCharactersMax)}…` : problem;
  return printable(short).replaceAll("\n", " ");
}
