/** The error of a run that no peer can complete: for each missing partition, why each of its peers failed. */

import { SnapshotError, type SnapshotErrorCode } from "../errors/snapshot-error.ts";
import type { Partition } from "../protocol/brands.ts";
import { shortId } from "../protocol/node.ts";
import { counted } from "../text/counted.ts";
import type { Peer } from "./peers/peer.ts";
import type { PeerPool, SourceOutcome } from "./peers/peer-pool.ts";

const PARTITIONS_SHOWN = 3;

export class IncompleteError extends SnapshotError {
  /** Whether some partition is held by none of the nodes that respond. This is not an offence; a later attempt or an
   *  older snapshot may succeed. */
  readonly isHeldByNobody: boolean;

  constructor(code: IncompleteCode, message: string, details: readonly string[], isHeldByNobody: boolean) {
    super(code, message, { details, hint: hints[code] });
    this.isHeldByNobody = isHeldByNobody;
  }
}

export function incompleteError(missing: ReadonlySet<Partition>, pool: PeerPool): IncompleteError {
  const partitions = [...missing].sort((a, b) => a - b);
  const outcomes = partitions.map((partition) => pool.outcomes(partition));
  const isFull = partitions.some((partition) => pool.isExcluded(partition, "no-space"));
  const code = isFull ? "disk" : codeOf(outcomes, pool.isHeld);
  const details = partitions.slice(0, PARTITIONS_SHOWN).flatMap((partition, index) => {
    const reasons = (outcomes[index] ?? []).map(({ peer, reason }) => `  ${describePeer(peer)}: ${reason}`);
    return [`partition ${partition}:`, ...reasons];
  });
  if (partitions.length > PARTITIONS_SHOWN)
    details.push(`and ${counted(partitions.length - PARTITIONS_SHOWN, "more partition")}`);
  const message = `${titles[code]} (${partitions.length} missing)`;
  return new IncompleteError(code, message, details, outcomes.some(isNotHeld));
}

type IncompleteCode = Extract<
  SnapshotErrorCode,
  "incomplete" | "verification" | "temporary" | "gone" | "disk"
>;

const titles: Readonly<Record<IncompleteCode, string>> = {
  incomplete: "could not fetch every partition",
  verification: "no node's data has the agreed hash",
  temporary: "the cycle is not finalized yet, or its snapshot is still being exported",
  gone: "the snapshot is gone: no validator holds one of that moment",
  disk: "no space is left on the disk",
};

const hints: Readonly<Record<IncompleteCode, string>> = {
  incomplete:
    "Run again when these sources respond correctly: verified partitions are kept and not fetched again.",
  verification:
    "Every source of one of these partitions sent data without the agreed hash: report it to their operators.",
  temporary: "Run again in a minute: the nodes still finalize this cycle, or export their state.",
  gone: "Validators keep only the newest few snapshots, so it will not come back: use --timestamp latest, name an archiver that has published it with --mirror, or assemble sooner after the mark.",
  disk: "Free some space and run again: verified partitions are kept and not fetched again.",
};

function describePeer(peer: Peer): string {
  if (peer.kind === "mirror") return `the mirror ${peer.url}`;
  return `${shortId(peer.node.id)} (${peer.node.url ?? "no address"})`;
}

/** A partition that all its sources gave wrongly decides: a later attempt would fail as well. */
function codeOf(outcomes: readonly (readonly SourceOutcome[])[], isHeld: boolean): IncompleteCode {
  if (outcomes.some((sources) => sources.every(({ outcome }) => outcome === "wrong"))) return "verification";
  const isAbsent = outcomes.every((sources) => sources.every(isAbsence));
  if (!isAbsent) return "incomplete";
  if (outcomes.some((nodes) => nodes.some(({ outcome }) => outcome === "too-early"))) return "temporary";
  // Where other nodes have given partitions, and still do, the network holds the snapshot.
  return isHeld ? "incomplete" : "gone";
}

/** A mirror with false accounts has the snapshot no more than one without any. */
function isAbsence({ peer, outcome }: SourceOutcome): boolean {
  return absences.has(outcome) || (peer.kind === "mirror" && outcome === "wrong");
}

function isNotHeld(nodes: readonly SourceOutcome[]): boolean {
  const isAbsent = nodes.some(({ outcome }) => absences.has(outcome));
  return isAbsent && nodes.every((source) => isAbsence(source) || source.outcome === "failed");
}

const absences: ReadonlySet<SourceOutcome["outcome"]> = new Set(["too-early", "not-held"]);
