/**
 * The hash database of a run. The run reads messages and records of nodes from it, and adds what it learns. The
 * database is not trusted: its messages are admitted like any others, and its offences only decide which nodes are
 * requested last.
 */

import type { AgreedHashes } from "../../agreement/agreed-hashes.ts";
import { isAgreed } from "../../agreement/vote-tally.ts";
import type { Offence, RecordedOffence } from "../../errors/offence.ts";
import { messageOf } from "../../errors/snapshot-error.ts";
import type { RunLog } from "../../events/run-log.ts";
import type { MismatchedPartition } from "../../events/sync-events.ts";
import { asNodeId, type Cycle, isNodeId, type NodeId } from "../../protocol/brands.ts";
import { signedHash } from "../../protocol/crypto/signature.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";
import { type ActiveNode, shortId } from "../../protocol/node.ts";
import { HashDatabase, type SignedMessage } from "../../store/hash-database/hash-database.ts";
import { recordRank } from "../../sync/peers/record-rank.ts";
import { counted, isOrAre } from "../../text/counted.ts";
import { parseJson } from "../../wire/parse.ts";

const NODES_SHOWN = 5;

export class KnownHashes {
  readonly #path: string;
  readonly #database: HashDatabase;
  readonly #hashKey: string;
  readonly #log: RunLog;
  #proofs: RecordedOffence[] = [];
  #isClaimed = false;
  /** The agreed hashes of the run. */
  #agreed: AgreedHashes | undefined;

  private constructor(path: string, hashKey: string, log: RunLog) {
    this.#path = path;
    this.#database = HashDatabase.open(path, { onSkipped: (problem) => log.warn(problem) });
    this.#hashKey = hashKey;
    this.#log = log;
  }

  /**
   * Opens a hash database, and creates it where there is none.
   *
   * @throws SnapshotError if the file is not a hash database or cannot be opened
   */
  static open(path: string, hashKey: string, log: RunLog): KnownHashes {
    return new KnownHashes(path, hashKey, log);
  }

  /**
   * Assigns the database to the network of the records.
   *
   * @throws SnapshotError `configuration` if the database belongs to another network
   */
  claim(records: readonly CycleRecord[]): void {
    const { networkId } = records.at(-1)?.received ?? {};
    const id = typeof networkId === "string" ? networkId : "";
    this.#database.claim({ networkId: id, hashKey: this.#hashKey });
    this.#isClaimed = true;
  }

  /** Returns the messages of a cycle. They are not admitted yet. */
  given(cycle: Cycle): { readonly messages: Iterable<string>; readonly source: string } {
    const count = this.#database.messageCount(cycle);
    if (count > 0)
      this.#log.stage(`${counted(count, "message")} of cycle ${cycle} ${isOrAre(count)} in ${this.#path}`);
    return { source: this.#path, messages: textsOf(this.#database.messagesOf(cycle)) };
  }

  /** Returns node ID → rank, and reports the nodes with a rank above 0, which are requested last. */
  ranks(nodes: readonly ActiveNode[]): Map<string, number> {
    const kinds = this.#database.offenceKinds();
    const ranks = new Map(nodes.map(({ id }) => [id, recordRank(kinds.get(id) ?? [])]));
    const deferred = nodes.filter(({ id }) => (ranks.get(id) ?? 0) > 0);
    if (deferred.length > 0) {
      const shown = deferred
        .slice(0, NODES_SHOWN)
        .map(({ id }) => `${shortId(id)} (${kinds.get(id)?.join(", ")})`);
      const more = deferred.length > NODES_SHOWN ? `, and ${deferred.length - NODES_SHOWN} more` : "";
      this.#log.stage(`requesting last, because of their record: ${shown.join(", ")}${more}`);
    }
    return ranks;
  }

  /** Notes a partition without the agreed hash. If the node itself has signed a different hash, that is an offence. */
  noteMismatch(node: NodeId, { partition, got, conflict }: MismatchedPartition, agreed: AgreedHashes): void {
    const text = agreed.votes.textOf(node);
    const voted = agreed.votes.hashesOf(node).get(partition);
    if (text === undefined || voted === undefined || voted === got || conflict !== undefined) return;
    const cycle = agreed.votes.shard.cycleNumber;
    const received = objectIn(text);
    const detail = `signed ${voted}, but sent accounts with the hash ${got}`;
    const evidence = { messages: [received], sentHash: got };
    const kind = "contradicts-own-vote";
    this.#proofs.push({ node, kind, cycle, partition, detail, whenMs: Date.now(), evidence });
  }

  /** Adds the votes and the agreed hashes of a cycle. */
  saveAgreed(cycle: Cycle, agreed: AgreedHashes): void {
    this.#agreed = agreed;
    this.#attempt(() => {
      this.#database.saveMessages([...this.#messagesOf(cycle, agreed)], Date.now());
      const certain = [...agreed.agreements].filter(([, agreement]) => isAgreed(agreement, "majority"));
      const isWhole = certain.length === agreed.agreements.size;
      const hashes = certain.map(([partition, { hash }]) => [partition, hash] as const);
      this.#database.saveAgreed(cycle, hashes, isWhole ? agreed.networkHash : undefined);
    });
  }

  /** Adds the offences of the run. A dissenting vote is an offence only under the agreed hashes. */
  saveOffences(): void {
    if (!this.#isClaimed) return;
    const whenMs = Date.now();
    const { cycle } = this.#log;
    const ofCycle = cycle === null ? {} : { cycle };
    const proved = new Set(this.#proofs.map(({ node, partition }) => `${node}/${partition}`));
    // A mirror is not a node of the network.
    const ofNodes = this.#log.offences.filter(({ node }) => isNodeId(node));
    const offences = onePerDissenter(ofNodes).flatMap((offence): RecordedOffence[] => {
      // One act is recorded as one offence: the one with a proof.
      if (offence.kind === "wrong-partition" && proved.has(`${offence.node}/${offence.partition}`)) return [];
      const recorded = { ...offence, ...ofCycle, whenMs };
      if (offence.kind !== "dissenting-vote") return [recorded];
      const text = this.#agreed?.votes.textOf(asNodeId(offence.node));
      return text === undefined ? [] : [{ ...recorded, evidence: { messages: [objectIn(text)] } }];
    });
    this.#attempt(() => this.#database.saveOffences([...this.#proofs, ...offences]));
    this.#proofs = [];
  }

  close(): void {
    this.#attempt(() => this.#database.close());
  }

  /** Returns counted votes before those that contradict them. */
  *#messagesOf(cycle: Cycle, { votes }: AgreedHashes): Generator<SignedMessage, void, void> {
    for (const { sender, text: bytes } of votes.texts()) {
      const text = bytes.toString("utf8");
      yield { cycle, sender, hash: signedHash(objectIn(text), this.#hashKey), text };
    }
  }

  /** Warns if the database cannot be written: the snapshot does not depend on it. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#log.warn(`cannot write the hash database: ${messageOf(error)}`);
    }
  }
}

/** Parses an admitted message. */
function objectIn(text: string): object {
  return parseJson(text, "a message that was admitted") as object;
}

function* textsOf(messages: Iterable<SignedMessage>): Generator<string, void, void> {
  for (const { text } of messages) yield text;
}

/** Keeps one dissenting vote per node: a message is one act, even if several of its hashes are wrong. */
function onePerDissenter(offences: readonly Offence[]): Offence[] {
  const seen = new Set<string>();
  return offences.filter(({ node, kind }) => {
    if (kind !== "dissenting-vote") return true;
    const isFirst = !seen.has(node);
    seen.add(node);
    return isFirst;
  });
}
