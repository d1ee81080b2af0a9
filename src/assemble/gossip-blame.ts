/** Who is to blame for gossip that does not hold, and for votes against what is agreed. */

import type { Collector } from "../gossip/collector.ts";
import type { Ballot } from "./ballot.ts";
import type { RunLog } from "./run-log.ts";

export interface ReceivedInvalid {
  /** The ID of the node that passed the message on. */
  readonly from: string;
  readonly ballot: Extract<Ballot, { outcome: "invalid" }>;
}

/**
 * A message that does not hold may have been made up by whoever passed it on, or be the sender's own: the
 * latter is known where its signature holds all the same, or they are one; the former where the sender's
 * true message is known. Otherwise it is said without a name.
 */
export function blameInvalid(received: readonly ReceivedInvalid[], collector: Collector, log: RunLog): void {
  const proven = new Map<string, string>();
  let unclear: string | undefined;
  for (const { from, ballot } of received) {
    const { sender, problem, isProven } = ballot;
    const isKnown = sender === undefined || sender === from || collector.messages.has(sender);
    if (isProven && sender !== undefined) proven.set(sender, problem);
    else if (isKnown) log.offence({ node: from, kind: "invalid-gossip", detail: problem });
    else unclear ??= problem;
  }
  for (const [node, detail] of proven) log.offence({ node, kind: "invalid-gossip", detail });
  if (unclear !== undefined) log.warn(`gossip that does not count: ${unclear}`);
}

export function blameDissenters(
  collector: Collector,
  partitionHashes: ReadonlyMap<number, string>,
  log: RunLog,
): void {
  for (const [sender, { hashes }] of collector.messages) {
    for (const [partition, hash] of hashes) {
      const agreed = partitionHashes.get(partition);
      if (agreed === undefined || agreed === hash) continue;
      const detail = `voted for ${hash}, agreed is ${agreed}`;
      log.offence({ node: sender, kind: "dissenting-vote", partition, detail });
    }
  }
}
