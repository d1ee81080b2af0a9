/** Reads where a replay starts from the evidence of a snapshot that was verified. */

import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import { COUNTING_FILE, parseCountingRules } from "../../format/evidence/counting-rules.ts";
import { CYCLES_FILE, parseCycleRecords } from "../../format/evidence/cycles.ts";
import { NODE_LIST_FILE, parseNodeList } from "../../format/evidence/node-list.ts";
import { fileBytesMax } from "../../format/file-bounds.ts";
import { settleTimeMs } from "../../limits/resume.ts";
import { type CycleRecord, cycleMarker } from "../../protocol/cycle-record.ts";
import { SnapshotDirectory } from "../../store/snapshot-directory.ts";
import { cycleNodesOf } from "../../trust/chain/cycle-nodes.ts";
import { parseJson } from "../../wire/parse.ts";
import type { VerifiedSnapshot } from "../read-snapshot.ts";
import type { ListedMembers } from "./cycle-members.ts";
import type { ReplayStart } from "./replay.ts";

/**
 * @param nodesPerConsensusGroup that of the user, in place of the evidence's
 * @throws SnapshotError `verification` if the evidence cannot be read
 */
export async function readReplayStart(
  directory: string,
  { agreed, timestamp }: VerifiedSnapshot,
  nodesPerConsensusGroup?: number,
): Promise<ReplayStart> {
  const { cycle, hashKey } = agreed;
  const reader = new SnapshotDirectory(directory);
  const read = async <T>(file: string, parse: (received: unknown, source: string) => T) => {
    const bytes = await reader.readBytes(file, fileBytesMax(file, agreed.hashes.length - 1));
    return parse(parseJson(bytes.toString("utf8"), file), file);
  };
  try {
    const { records } = await read(CYCLES_FILE, parseCycleRecords);
    const { nodes } = await read(NODE_LIST_FILE, parseNodeList);
    const counting = await read(COUNTING_FILE, parseCountingRules);
    const own = records.find(({ counter }) => counter === cycle);
    if (own === undefined) throw new Error(`${CYCLES_FILE} lacks the record of cycle ${cycle}`);
    const durationMs = own.duration * 1000;
    const earliest = cycle - 1 - Math.ceil((settleTimeMs + durationMs) / durationMs);
    const members = records
      .filter(({ counter }) => counter >= earliest && counter <= cycle)
      .map((record): ListedMembers => listed(record, cycleNodesOf(nodes, records, record)));
    return {
      record: own.received,
      evidence: records
        .filter(({ counter }) => counter > cycle)
        .map(({ counter, received }) => [counter, cycleMarker(received, hashKey)] as const),
      hashKey,
      // The snapshot has the transactions that had settled. A cycle earlier, and what is in the snapshot is skipped.
      sinceMs: timestamp - settleTimeMs - durationMs,
      members,
      nodesPerConsensusGroup: nodesPerConsensusGroup ?? counting.sharding.nodesPerConsensusGroup,
    };
  } catch (error) {
    throw new SnapshotError(
      "verification",
      `${directory} changed after it was verified: ${messageOf(error)}`,
      { cause: error, hint: "Find out what writes to the directory, and run again." },
    );
  }
}

function listed({ counter: cycle }: CycleRecord, { nodes }: ReturnType<typeof cycleNodesOf>): ListedMembers {
  return { cycle, nodes: nodes.map(({ id, publicKey }) => [id, publicKey ?? null] as const) };
}
