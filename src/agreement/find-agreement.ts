/**
 * Finds out what the validators agree on (PROTOCOL.md, Partition gossip), from messages that are given and from those
 * that validators are asked for.
 */

import { FetchError } from "../errors/fetch-error.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import type { RunLog } from "../events/run-log.ts";
import type { HttpClient } from "../fetch/http/http-client.ts";
import type { TrustSource } from "../format/counting-rules.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { type ActiveNode, shortId } from "../protocol/node.ts";
import { EMPTY_PREIMAGE, networkHash } from "../protocol/partition-hash.ts";
import { queryOrder } from "../protocol/query-order.ts";
import { allPartitions, type Shard } from "../protocol/shard.ts";
import { counted } from "../text/counted.ts";
import { blameDissenters, GossipBlame } from "./attribution.ts";
import { requireShownGeometry } from "./shown-geometry.ts";
import { VoteCollection } from "./vote-collection.ts";
import { GossipInquiry } from "./vote-requests.ts";
import { type Agreement, isAgreed, type Quorum } from "./vote-tally.ts";

/** Gossip messages from elsewhere, as texts. Where they are from is blamed for nothing. */
export interface GivenGossip {
  readonly messages: Iterable<string> | AsyncIterable<string>;
  /** A file, or a hash database. */
  readonly source: string;
  /** Whether some of its messages are lost, so that validators are asked for all of them before it is read. */
  readonly isDamaged?: boolean | undefined;
}

export interface AgreementContext {
  readonly client: HttpClient;
  readonly nodes: readonly ActiveNode[];
  readonly shard: Shard;
  /** What the settings behind the geometry rest on. */
  readonly shardingSource: TrustSource;
  readonly hashKey: string;
  readonly quorum: Quorum;
  readonly allowEmpty: boolean;
  readonly given: readonly GivenGossip[];
  readonly log: RunLog;
  readonly signal?: AbortSignal | undefined;
}

export interface AgreedHashes {
  readonly agreements: ReadonlyMap<number, Agreement>;
  readonly partitionHashes: ReadonlyMap<number, string>;
  readonly networkHash: string;
  readonly box: VoteCollection;
}

/** Too few have voted on that cycle so far. */
export interface NotYet {
  readonly notYet: SnapshotError;
}

/**
 * The agreed hash of every partition of a cycle.
 *
 * @throws SnapshotError `no-agreement`, where those who voted contradict each other
 */
export async function findAgreedHashes(
  cycle: number,
  context: AgreementContext,
): Promise<AgreedHashes | NotYet> {
  const { nodes, shard, hashKey, log } = context;
  const cycleShard = { ...shard, cycleNumber: cycle, nodeIds: nodes.map((node) => node.id) };
  const box = new VoteCollection(cycleShard, nodes, hashKey);
  const blame = new GossipBlame(log);
  const isDamaged = (given: GivenGossip) => given.isDamaged === true;
  for (const given of context.given) if (!isDamaged(given)) await takeGiven(given, box, blame, log);
  const ordered = queryOrder(nodes.length).flatMap((index) => nodes[index] ?? []);
  const inquiry = new GossipInquiry(box, blame, { ...context, nodes: ordered });
  await inquiry.run();
  for (const given of context.given) if (isDamaged(given)) await takeGiven(given, box, blame, log);
  blame.blameRelays();
  return new AgreementReport(cycle, box, inquiry.failures, context).result();
}

async function takeGiven(
  { messages, source }: GivenGossip,
  box: VoteCollection,
  blame: GossipBlame,
  log: RunLog,
): Promise<void> {
  const shown: string[] = [];
  let useless = 0;
  for await (const text of messages) {
    const admission = box.admit(text);
    switch (admission.kind) {
      case "new":
      case "duplicate":
        break;
      case "equivocation":
        blame.equivocated(admission.vote, source);
        break;
      case "rejected":
        blame.rejected(admission, text, undefined);
        if (++useless <= PROBLEMS_SHOWN) shown.push(admission.problem);
        break;
    }
  }
  if (useless === 0) return;
  const more = useless > shown.length ? `; and ${useless - shown.length} more` : "";
  const cycle = box.shard.cycleNumber;
  log.warn(
    `${source}: ${counted(useless, "message")} ${useless === 1 ? "does" : "do"} not count for cycle ${cycle}: ${shown.join("; ")}${more}`,
  );
}

/** The cycle is not finalized yet (PROTOCOL.md, Partial snapshots). */
const TOO_EARLY = 425;

const PROBLEMS_SHOWN = 3;

/** What the votes come to, or why there is no agreement. */
class AgreementReport {
  readonly #cycle: number;
  readonly #box: VoteCollection;
  readonly #failures: ReadonlyMap<string, Error>;
  readonly #context: AgreementContext;

  constructor(
    cycle: number,
    box: VoteCollection,
    failures: ReadonlyMap<string, Error>,
    context: AgreementContext,
  ) {
    this.#cycle = cycle;
    this.#box = box;
    this.#failures = failures;
    this.#context = context;
  }

  /** @throws SnapshotError `no-agreement`, where those who voted contradict each other */
  result(): AgreedHashes | NotYet {
    const { quorum, shard, hashKey, log } = this.#context;
    if (this.#box.size === 0) {
      return { notYet: this.#isTooEarly() ? notFinalized(this.#cycle) : this.#nothingHeard() };
    }
    const agreements = new Map<number, Agreement>();
    const open: string[] = [];
    let isContested = false;
    for (const partition of allPartitions(shard)) {
      const agreement = this.#box.tally.agreement(partition);
      if (agreement !== undefined) agreements.set(partition, agreement);
      if (agreement !== undefined && isAgreed(agreement, quorum)) continue;
      open.push(describeVotes(partition, agreement));
      isContested ||= agreement !== undefined && isContestedFor(agreement);
    }
    // Where those who have voted contradict each other, waiting will not help.
    if (isContested) throw this.#noAgreement(open);
    if (open.length > 0) return { notYet: this.#noAgreement(open) };
    const partitionHashes = new Map([...agreements].map(([partition, { hash }]) => [partition, hash]));
    requireShownGeometry(this.#box, this.#context.shardingSource, log);
    blameDissenters(this.#box, partitionHashes, log);
    const empty = hashText(EMPTY_PREIMAGE, hashKey);
    const isEmpty = [...partitionHashes.values()].every((hash) => hash === empty);
    if (isEmpty && !this.#context.allowEmpty) throw keepsNoCopies(this.#cycle);
    log.networkHash = networkHash(partitionHashes, hashKey);
    return { agreements, partitionHashes, networkHash: log.networkHash, box: this.#box };
  }

  #isTooEarly(): boolean {
    return [...this.#failures.values()].some(
      (failure) => failure instanceof FetchError && failure.status === TOO_EARLY,
    );
  }

  #nothingHeard(): SnapshotError {
    const problem = `there is no agreed hash for cycle ${this.#cycle}: no validator that was asked has gossip of it`;
    const hint = "It may be too old, or not finalized yet; --gossip <file> brings messages from elsewhere.";
    return new SnapshotError("no-agreement", problem, { hint: this.#failuresText() || hint });
  }

  #noAgreement(open: readonly string[]): SnapshotError {
    const heard = `${this.#box.size} of ${counted(this.#context.nodes.length, "node")} were heard`;
    const problem = `no agreed hash for cycle ${this.#cycle} (${heard}): ${firstFew(open)}`;
    const rule =
      this.#context.quorum === "majority"
        ? "More than half of the nodes that cover a partition must vote for one hash."
        : "Half of the nodes that cover a partition must have voted.";
    return new SnapshotError("no-agreement", problem, { hint: `${rule} ${this.#failuresText()}`.trim() });
  }

  #failuresText(): string {
    const failures = [...this.#failures].map(([id, error]) => `${shortId(id)}: ${error.message}`);
    return failures.length === 0 ? "" : `These nodes could not be heard: ${firstFew(failures)}.`;
  }
}

/** Whether even all who have not voted yet could no longer make a majority. */
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
  const more = items.length > PROBLEMS_SHOWN ? `; and ${items.length - PROBLEMS_SHOWN} more` : "";
  return `${items.slice(0, PROBLEMS_SHOWN).join("; ")}${more}`;
}

function keepsNoCopies(cycle: number): SnapshotError {
  const problem = `every partition of cycle ${cycle} has the hash of an empty list: this network keeps no account copies`;
  return new SnapshotError("no-agreement", problem, {
    hint: "There is nothing that a snapshot could be checked against. If the network really is empty, --allow-empty publishes that.",
  });
}
