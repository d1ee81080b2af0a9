/** Gossip messages from a file or a database, for which only their signers can be blamed. */

import type { RunLog } from "../events/run-log.ts";
import { counted } from "../text/counted.ts";
import { faultOf } from "./faults/fault.ts";
import type { VoteCollection } from "./vote-collection.ts";

export interface GivenGossip {
  readonly messages: Iterable<string> | AsyncIterable<string>;
  /** The file, or the hash database. */
  readonly source: string;
  /** Whether some of its messages are lost. If so, validators are queried before it is read. */
  readonly isDamaged?: boolean | undefined;
}

const problemsShown = 3;

/** Admits all messages, and warns of those that do not count. */
export async function admitGiven(
  { messages, source }: GivenGossip,
  votes: VoteCollection,
  log: RunLog,
): Promise<void> {
  const shown: string[] = [];
  let rejections = 0;
  for await (const text of messages) {
    const admission = votes.admit(text);
    const fault = faultOf(admission, { source, areSettingsProved: log.areSettingsProved });
    if (fault.kind === "signed") log.offence(fault.offence);
    if (admission.kind === "rejected" && ++rejections <= problemsShown) shown.push(admission.problem);
  }
  if (rejections === 0) return;
  const more = rejections > shown.length ? `; and ${rejections - shown.length} more` : "";
  const { cycleNumber } = votes.shard;
  const verb = rejections === 1 ? "does" : "do";
  log.warn(
    `${source}: ${counted(rejections, "message")} ${verb} not count for cycle ${cycleNumber}: ${shown.join("; ")}${more}`,
  );
}
