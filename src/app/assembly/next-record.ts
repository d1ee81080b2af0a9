/**
 * The record of the cycle after the snapshot's. Its `active` is how many nodes the snapshot's cycle has, and a network that
 * restarts from a snapshot needs it, so the evidence has it if the archiver does before the snapshot is published.
 */

import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";
import type { CycleNodes } from "../../trust/chain/cycle-nodes.ts";
import { type Candidate, type Network, readNetwork } from "../../trust/read-network.ts";
import { type Attempt, listContext, type Run } from "./assembly-run.ts";

/** Returns the lists of the run, or newer ones with that record. Without it, the run has a warning. */
export async function withNextRecord(run: Run, { candidate, network }: Attempt): Promise<Network> {
  const next = candidate.cycle.counter + 1;
  if (hasRecord(network.records, next)) return network;
  const newer = await readAgain(run, candidate);
  if (newer !== undefined && hasRecord(newer.records, next)) {
    return { ...newer, txList: network.txList, archivers: network.archivers };
  }
  run.log.warn(
    `there is no record of cycle ${next} yet: the snapshot is right, but its evidence lacks that record, which a network that restarts from it needs; assemble it again later`,
  );
  return network;
}

function hasRecord(records: readonly CycleRecord[], counter: number): boolean {
  return records.some((record) => record.counter === counter);
}

/** Returns lists that give the same nodes for the snapshot's cycle; `undefined` if there are none. */
async function readAgain(run: Run, { cycle, members }: Candidate): Promise<Network | undefined> {
  const { network: sources, signal } = run.settings;
  // Files do not change.
  if (sources.archiver === undefined || sources.nodes !== undefined || sources.cycles !== undefined)
    return undefined;
  try {
    const quiet = { ...listContext(run), warn: () => undefined };
    const newer = await readNetwork(sources, { kind: "cycle", counter: cycle.counter }, quiet);
    const [again] = newer.candidates;
    if (again === undefined) return undefined;
    const isSame = again.cycle.marker === cycle.marker && sameNodes(again.members, members);
    return isSame ? newer : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof SnapshotError) return undefined;
    throw error;
  }
}

function sameNodes(a: CycleNodes, b: CycleNodes): boolean {
  if (a.nodes.length !== b.nodes.length) return false;
  return a.nodes.every(({ id, publicKey }, index) => {
    const other = b.nodes[index];
    return other?.id === id && other.publicKey === publicKey;
  });
}
