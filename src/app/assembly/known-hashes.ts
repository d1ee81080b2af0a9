/**
 * What a run takes from a hash database, and what it adds. Nothing in the database is believed: its messages
 * are cast like any others, and its offences only decide who is asked later.
 */

import type { AgreedHashes } from "../../agreement/agreed-hashes.ts";
import { isAgreed } from "../../agreement/vote-tally.ts";
import type { Offence, RecordedOffence } from "../../errors/offence.ts";
import { messageOf } from "../../errors/snapshot-error.ts";
import type { RunLog } from "../../events/run-log.ts";
import type { MismatchedPartition } from "../../events/sync-events.ts";
import { signedHash } from "../../protocol/crypto/signature.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";
import { type ActiveNode, shortId } from "../../protocol/node.ts";
import { HashDatabase, type SignedMessage } from "../../store/hash-database/hash-database.ts";
import { recordRank } from "../../sync/record-rank.ts";
import { counted, isOrAre } from "../../text/counted.ts";
import { parseJson } from "../../wire/parse.ts";

const NODES_SHOWN = 5;

export class KnownHashes {
  readonly #path: string;
  readonly #database: HashDatabase;
  readonly #hashKey: string;
  readonly #log: RunLog;
  #proofs: RecordedOffence[] = [];
  #isOurs = false;
  /** What the run has settled on. */
  #learned: AgreedHashes | undefined;

  private constructor(path: string, hashKey: string, log: RunLog) {
    this.#path = path;
    this.#database = HashDatabase.open(path, { onSkipped: (problem) => log.warn(problem) });
    this.#hashKey = hashKey;
    this.#log = log;
  }

  /** @throws SnapshotError where the file is no hash database, or cannot be had */
  static open(path: string, hashKey: string, log: RunLog): KnownHashes {
    return new KnownHashes(path, hashKey, log);
  }

  /** @throws SnapshotError `configuration` where the database is of another network */
  claim(records: readonly CycleRecord[]): void {
    const { networkId } = records.at(-1)?.received ?? {};
    const id = typeof networkId === "string" ? networkId : "";
    this.#database.claim({ networkId: id, hashKey: this.#hashKey });
    this.#isOurs = true;
  }

  /** The messages of a cycle, to be cast. */
  given(cycle: number): { readonly messages: Iterable<string>; readonly source: string } {
    const count = this.#database.messageCount(cycle);
    if (count > 0)
      this.#log.stage(`${counted(count, "message")} of cycle ${cycle} ${isOrAre(count)} in ${this.#path}`);
    return { source: this.#path, messages: textsOf(this.#database.messagesOf(cycle)) };
  }

  /** Node ID → rank, of those that are to be asked later; says which they are. */
  ranks(nodes: readonly ActiveNode[]): Map<string, number> {
    const kinds = this.#database.offenceKinds();
    const ranks = new Map(nodes.map(({ id }) => [id, recordRank(kinds.get(id) ?? [])]));
    const later = nodes.filter(({ id }) => (ranks.get(id) ?? 0) > 0);
    if (later.length > 0) {
      const shown = later
        .slice(0, NODES_SHOWN)
        .map(({ id }) => `${shortId(id)} (${kinds.get(id)?.join(", ")})`);
      const more = later.length > NODES_SHOWN ? `, and ${later.length - NODES_SHOWN} more` : "";
      this.#log.stage(`nodes that are asked later, for their record: ${shown.join(", ")}${more}`);
    }
    return ranks;
  }

  /** A partition that does not have the agreed hash: a lie that can be proved, where the node has signed another. */
  sawWrong(node: string, { partition, got, conflict }: MismatchedPartition, agreed: AgreedHashes): void {
    const text = agreed.votes.textOf(node);
    const voted = agreed.votes.hashesOf(node).get(partition);
    if (text === undefined || voted === undefined || voted === got || conflict !== undefined) return;
    const cycle = agreed.votes.shard.cycleNumber;
    const received = objectIn(text);
    const detail = `signed ${voted}, and sent what has the hash ${got}`;
    const evidence = { messages: [received], sentHash: got };
    const kind = "contradicts-own-vote";
    this.#proofs.push({ node, kind, cycle, partition, detail, whenMs: Date.now(), evidence });
  }

  /** Adds what was said and agreed on in a cycle. */
  learn(cycle: number, agreed: AgreedHashes): void {
    this.#learned = agreed;
    this.#written(() => {
      this.#database.saveMessages([...this.#messagesOf(cycle, agreed)], Date.now());
      const sure = [...agreed.agreements].filter(([, agreement]) => isAgreed(agreement, "majority"));
      const isWhole = sure.length === agreed.agreements.size;
      const hashes = sure.map(([partition, { hash }]) => [partition, hash] as const);
      this.#database.saveAgreed(cycle, hashes, isWhole ? agreed.networkHash : undefined);
    });
  }

  /** Adds what nodes did wrong. Who dissents is known only where what the others agreed on has stood. */
  learnOffences(): void {
    if (!this.#isOurs) return;
    const whenMs = Date.now();
    const { cycle } = this.#log;
    const ofCycle = cycle === null ? {} : { cycle };
    const proved = new Set(this.#proofs.map(({ node, partition }) => `${node}/${partition}`));
    const offences = onePerDissenter(this.#log.offences).flatMap((offence): RecordedOffence[] => {
      // One act is one offence: that which can be proved.
      if (offence.kind === "wrong-partition" && proved.has(`${offence.node}/${offence.partition}`)) return [];
      const recorded = { ...offence, ...ofCycle, whenMs };
      if (offence.kind !== "dissenting-vote") return [recorded];
      const text = this.#learned?.votes.textOf(offence.node);
      return text === undefined ? [] : [{ ...recorded, evidence: { messages: [objectIn(text)] } }];
    });
    this.#written(() => this.#database.saveOffences([...this.#proofs, ...offences]));
    this.#proofs = [];
  }

  close(): void {
    this.#written(() => this.#database.close());
  }

  /** Those that count before those that contradict them. */
  *#messagesOf(cycle: number, { votes }: AgreedHashes): Generator<SignedMessage, void, void> {
    for (const { sender, text: bytes } of votes.texts()) {
      const text = bytes.toString("utf8");
      yield { cycle, sender, hash: signedHash(objectIn(text), this.#hashKey), text };
    }
  }

  /** The snapshot is what matters: that a database cannot be written is no reason to fail. */
  #written(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#log.warn(`what was learned is not in the hash database: ${messageOf(error)}`);
    }
  }
}

/** Of a message that was admitted. */
function objectIn(text: string): object {
  return parseJson(text, "a message that was admitted") as object;
}

function* textsOf(messages: Iterable<SignedMessage>): Generator<string, void, void> {
  for (const { text } of messages) yield text;
}

/** A message is one act, on however many partitions it is wrong. */
function onePerDissenter(offences: readonly Offence[]): Offence[] {
  const seen = new Set<string>();
  return offences.filter(({ node, kind }) => {
    if (kind !== "dissenting-vote") return true;
    const isFirst = !seen.has(node);
    seen.add(node);
    return isFirst;
  });
}
