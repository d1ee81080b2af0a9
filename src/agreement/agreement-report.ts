/** The result of counting the votes of a cycle: the agreed hashes, or why there are none. */

import { errorOf } from "../errors/problem.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RunLog } from "../events/run-log.ts";
import type { TrustSource } from "../format/evidence/counting-rules.ts";
import type { Cycle, HashHex, Partition } from "../protocol/brands.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { shortId } from "../protocol/node.ts";
import { EMPTY_PREIMAGE, networkHash } from "../protocol/partition-hash.ts";
import { allPartitions, type Shard } from "../protocol/shard.ts";
import type { AgreementOutcome } from "./agreed-hashes.ts";
import { dissentsOf } from "./faults/dissent.ts";
import type { GossipError } from "./requests/gossip-source.ts";
import { requireShownGeometry } from "./shown-geometry.ts";
import { describeNoQuorum, type NoQuorum, type OpenPartition } from "./undecided.ts";
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

export class AgreementReport {
  readonly #cycle: Cycle;
  readonly #votes: VoteCollection;
  readonly #failures: ReadonlyMap<string, GossipError>;
  readonly #context: ReportContext;

  /** @param failures node ID → why its last request failed */
  constructor(votes: VoteCollection, failures: ReadonlyMap<string, GossipError>, context: ReportContext) {
    this.#cycle = votes.shard.cycleNumber;
    this.#votes = votes;
    this.#failures = failures;
    this.#context = context;
  }

  /**
   * Returns the agreed hashes, or why there are none yet, and reports offences.
   *
   * @throws SnapshotError `no-agreement` if the votes contradict each other
   */
  result(): AgreementOutcome {
    const { quorum, shard, hashKey, log } = this.#context;
    const cycle = this.#cycle;
    const votes = this.#votes;
    if (votes.size === 0) {
      if (this.#isTooEarly()) return { kind: "not-finalized", cycle };
      return { kind: "no-votes", cycle, failures: this.#describeFailures() };
    }
    const agreements = new Map<Partition, Agreement>();
    const open: OpenPartition[] = [];
    let isContested = false;
    for (const partition of allPartitions(shard)) {
      const agreement = votes.tally.agreement(partition);
      if (agreement !== undefined) agreements.set(partition, agreement);
      if (agreement !== undefined && isAgreed(agreement, quorum)) continue;
      open.push({ partition, agreement });
      isContested ||= agreement !== undefined && isContestedFor(agreement);
    }
    // If the votes contradict each other, further votes do not help.
    if (isContested) throw errorOf(describeNoQuorum(this.#noQuorum(open)));
    if (open.length > 0) return this.#noQuorum(open);
    const partitionHashes = new Map([...agreements].map(([partition, { hash }]) => [partition, hash]));
    requireShownGeometry(votes, this.#context.shardingSource, log);
    this.#reportDissents(partitionHashes);
    const empty = hashText(EMPTY_PREIMAGE, hashKey);
    const isEmpty = [...partitionHashes.values()].every((hash) => hash === empty);
    if (isEmpty && !this.#context.allowEmpty) throw keepsNoCopies(cycle);
    const agreed = { agreements, partitionHashes, networkHash: networkHash(partitionHashes, hashKey), votes };
    return { kind: "agreed", agreed };
  }

  /** Reports dissenting votes, unless nothing proves the settings: the votes may then be counted wrongly. */
  #reportDissents(agreed: ReadonlyMap<Partition, HashHex>): void {
    const { log } = this.#context;
    if (!log.areSettingsProved) return;
    for (const sender of this.#votes.senders()) {
      for (const offence of dissentsOf(sender, this.#votes.hashesOf(sender), agreed)) log.offence(offence);
    }
  }

  #isTooEarly(): boolean {
    return [...this.#failures.values()].some(({ kind }) => kind === "not-finalized");
  }

  #noQuorum(open: readonly OpenPartition[]): NoQuorum {
    const { shard, quorum } = this.#context;
    const [cycle, failures] = [this.#cycle, this.#describeFailures()];
    return {
      kind: "no-quorum",
      cycle,
      voters: this.#votes.size,
      numNodes: shard.numNodes,
      quorum,
      open,
      failures,
    };
  }

  #describeFailures(): string[] {
    return [...this.#failures].map(([id, error]) => `${shortId(id)}: ${error.message}`);
  }
}

/** Returns whether no hash can reach a majority any more, even if all remaining nodes vote for it. */
function isContestedFor({ votesAgainst, outOf }: Agreement): boolean {
  return (outOf - votesAgainst) * 2 <= outOf;
}

function keepsNoCopies(cycle: Cycle): SnapshotError {
  const problem = `every partition of cycle ${cycle} has the hash of an empty list: this network keeps no account copies`;
  return new SnapshotError("no-agreement", problem, {
    hint: "A snapshot of this network cannot be verified. If the network really is empty, publish that with --allow-empty.",
  });
}
