/** The result of counting the votes of a cycle: the agreed hashes, or why there are none. */

import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RunLog } from "../events/run-log.ts";
import type { TrustSource } from "../format/evidence/counting-rules.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { shortId } from "../protocol/node.ts";
import { EMPTY_PREIMAGE, networkHash } from "../protocol/partition-hash.ts";
import { allPartitions, type Shard } from "../protocol/shard.ts";
import { counted } from "../text/counted.ts";
import type { AgreedHashes, NotYet } from "./agreed-hashes.ts";
import { dissentsOf } from "./faults/dissent.ts";
import type { GossipFailure } from "./requests/gossip-source.ts";
import { requireShownGeometry } from "./shown-geometry.ts";
import type { VoteCollection } from "./vote-collection.ts";
import { type Agreement, isAgreed, type Quorum } from "./vote-tally.ts";

export interface ReportContext {
  readonly shard: Shard;
  readonly shardingSource: TrustSource;
  readonly hashKey: string;
  readonly quorum: Quorum;
  readonly allowEmpty: boolean;
  readonly log: RunLog;
}

const itemsShown = 3;

export class AgreementReport {
  readonly #cycle: number;
  readonly #votes: VoteCollection;
  readonly #failures: ReadonlyMap<string, GossipFailure>;
  readonly #context: ReportContext;

  /** @param failures node ID → why its last request failed */
  constructor(votes: VoteCollection, failures: ReadonlyMap<string, GossipFailure>, context: ReportContext) {
    this.#cycle = votes.shard.cycleNumber;
    this.#votes = votes;
    this.#failures = failures;
    this.#context = context;
  }

  /** @throws SnapshotError `no-agreement` where the votes contradict each other */
  result(): AgreedHashes | NotYet {
    const { quorum, shard, hashKey, log } = this.#context;
    const votes = this.#votes;
    if (votes.size === 0) return { notYet: this.#isTooEarly() ? notFinalized(this.#cycle) : this.#noVotes() };
    const agreements = new Map<number, Agreement>();
    const open: string[] = [];
    let isContested = false;
    for (const partition of allPartitions(shard)) {
      const agreement = votes.tally.agreement(partition);
      if (agreement !== undefined) agreements.set(partition, agreement);
      if (agreement !== undefined && isAgreed(agreement, quorum)) continue;
      open.push(describeVotes(partition, agreement));
      isContested ||= agreement !== undefined && isContestedFor(agreement);
    }
    // Where the votes contradict each other, more of them do not help.
    if (isContested) throw this.#noAgreement(open);
    if (open.length > 0) return { notYet: this.#noAgreement(open) };
    const partitionHashes = new Map([...agreements].map(([partition, { hash }]) => [partition, hash]));
    requireShownGeometry(votes, this.#context.shardingSource, log);
    this.#reportDissents(partitionHashes);
    const empty = hashText(EMPTY_PREIMAGE, hashKey);
    const isEmpty = [...partitionHashes.values()].every((hash) => hash === empty);
    if (isEmpty && !this.#context.allowEmpty) throw keepsNoCopies(this.#cycle);
    return { agreements, partitionHashes, networkHash: networkHash(partitionHashes, hashKey), votes };
  }

  /** Under settings that nothing proves, the votes may be counted wrongly: nobody is blamed. */
  #reportDissents(agreed: ReadonlyMap<number, string>): void {
    const { log } = this.#context;
    if (!log.areSettingsProved) return;
    for (const sender of this.#votes.senders()) {
      for (const offence of dissentsOf(sender, this.#votes.hashesOf(sender), agreed)) log.offence(offence);
    }
  }

  #isTooEarly(): boolean {
    return [...this.#failures.values()].some(({ kind }) => kind === "not-finalized");
  }

  #noVotes(): SnapshotError {
    const problem = `there is no agreed hash for cycle ${this.#cycle}: no validator that was requested has gossip of it`;
    const hint = "It may be too old, or not finalized yet; --gossip <file> brings messages from elsewhere.";
    return new SnapshotError("no-agreement", problem, { hint: this.#failuresText() || hint });
  }

  #noAgreement(open: readonly string[]): SnapshotError {
    const { shard, quorum } = this.#context;
    const voters = `${this.#votes.size} of ${counted(shard.numNodes, "node")} have voted`;
    const problem = `no agreed hash for cycle ${this.#cycle} (${voters}): ${firstFew(open)}`;
    const rule =
      quorum === "majority"
        ? "More than half of the nodes that cover a partition must vote for one hash."
        : "Half of the nodes that cover a partition must have voted.";
    return new SnapshotError("no-agreement", problem, { hint: `${rule} ${this.#failuresText()}`.trim() });
  }

  #failuresText(): string {
    const failures = [...this.#failures].map(([id, error]) => `${shortId(id)}: ${error.message}`);
    return failures.length === 0 ? "" : `Requests to these nodes failed: ${firstFew(failures)}.`;
  }
}

/** Whether even all nodes that have not voted yet could no longer make a majority. */
function isContestedFor({ votesAgainst, outOf }: Agreement): boolean {
  return (outOf - votesAgainst) * 2 <= outOf;
}

function notFinalized(cycle: number): SnapshotError {
  return new SnapshotError("temporary", `cycle ${cycle} is not finalized yet`, {
    hint: "Try again in a minute.",
  });
}

function describeVotes(partition: number, agreement: Agreement | undefined): string {
  if (agreement === undefined) return `partition ${partition} has no vote`;
  const { votesFor, votesAgainst, outOf } = agreement;
  return `partition ${partition} has ${counted(votesFor, "vote")} for its most popular hash and ${votesAgainst} against, of ${outOf}`;
}

function firstFew(items: readonly string[]): string {
  const more = items.length > itemsShown ? `; and ${items.length - itemsShown} more` : "";
  return `${items.slice(0, itemsShown).join("; ")}${more}`;
}

function keepsNoCopies(cycle: number): SnapshotError {
  const problem = `every partition of cycle ${cycle} has the hash of an empty list: this network keeps no account copies`;
  return new SnapshotError("no-agreement", problem, {
    hint: "There is nothing that a snapshot could be checked against. If the network really is empty, --allow-empty publishes that.",
  });
}
