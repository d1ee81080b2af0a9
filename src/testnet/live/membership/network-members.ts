/**
 * The nodes of a live cluster from cycle to cycle, on which a real network agrees by consensus: a node joins, syncs, is
 * activated when it has the state, and is removed when it leaves or does not respond. They change only between cycles.
 */

import { asCycle, type Cycle, type NodeId, type PublicKey } from "../../../protocol/brands.ts";
import type { Identity } from "../../validator/identity.ts";
import type { MembershipChange } from "../../validator/state/log-entry.ts";
import { nodeListHashOf, type RecordMembers, refreshedCount, type StatedNode } from "./record-members.ts";

export interface Member {
  /** The number of the validator. */
  readonly validator: number;
  readonly identity: Identity;
  readonly url: string;
}

/** The changes of one record. */
export interface CycleMembers {
  readonly record: RecordMembers;
  readonly entries: readonly MembershipChange[];
  readonly joined: readonly Member[];
  readonly activated: readonly Member[];
  /** Of them, `isLost` did not respond. */
  readonly removed: readonly (Member & { readonly isLost: boolean })[];
  /** The nodes of the cycle. */
  readonly active: readonly Member[];
  /** The number of nodes that have joined and are not active yet. */
  readonly syncing: number;
}

interface MemberState extends Member {
  status: "asking" | "syncing" | "active";
  /** Records by number. */
  joinedIn: number;
  refreshedIn: number;
  lostIn?: number;
}

export class NetworkMembers {
  readonly #cycleDuration: number;
  readonly #startSeconds: number;
  /** By the number of the validator. */
  readonly #members = new Map<number, MemberState>();
  /** The numbers of validators that have the state, that want to leave, and that are dead. */
  readonly #synced = new Set<number>();
  readonly #leaving = new Set<number>();
  readonly #dead = new Set<number>();
  readonly #publicKeys = new Set<PublicKey>();

  /**
   * @param initial the nodes that are active from the beginning; none of a restarted network, whose nodes join
   * @param startSeconds when cycle 0 began, or would have begun
   */
  constructor(initial: readonly Member[], startSeconds: number, cycleDuration: number) {
    this.#startSeconds = startSeconds;
    this.#cycleDuration = cycleDuration;
    for (const member of initial) this.#add(member, "active");
  }

  /** The nodes after the newest record, in ascending order of ID. */
  get active(): readonly Member[] {
    return this.#with("active");
  }

  /** Whether a public key is that of a node, also of one that was removed. */
  isKnown(publicKey: PublicKey): boolean {
    return this.#publicKeys.has(publicKey);
  }

  /** A new validator listens, and asks to join. */
  ask(member: Member): void {
    this.#add(member, "asking");
  }

  /** A node that has joined has the state. */
  synced(validator: number): void {
    this.#synced.add(validator);
  }

  /** An active node asks to leave; one that is not active yet leaves when it is. */
  leave(validator: number): void {
    this.#leaving.add(validator);
  }

  /** A node does not respond any more. */
  died(validator: number): void {
    if (this.#members.get(validator)?.status === "asking") this.#members.delete(validator);
    else this.#dead.add(validator);
  }

  /** Returns the entries of the transaction log that state the nodes from the beginning. */
  get initialEntries(): MembershipChange[] {
    return this.active.flatMap(({ identity: { id, publicKey }, url }): MembershipChange[] => [
      { type: "node-joined", cycle: asCycle(0), id, publicKey, url },
      { type: "node-activated", cycle: asCycle(0), id },
    ]);
  }

  /** Makes the changes of a record, at the beginning of its cycle. */
  begin(cycle: Cycle): CycleMembers {
    const [joined, syncing, activeBefore] = [
      this.#with("asking"),
      this.#with("syncing"),
      this.#with("active"),
    ];
    const before = [...syncing, ...activeBefore];
    const isDead = ({ validator }: Member) => this.#dead.has(validator);
    const apoptosized = before.filter(({ lostIn }) => lostIn !== undefined);
    const lost = before.filter((member) => isDead(member) && member.lostIn === undefined);
    const leaving = activeBefore.filter((member) => this.#leaving.has(member.validator) && !isDead(member));
    const activated = syncing.filter((member) => this.#synced.has(member.validator) && !isDead(member));
    for (const member of lost) member.lostIn = cycle;
    for (const member of activated) member.status = "active";
    for (const member of joined) {
      member.status = "syncing";
      member.joinedIn = cycle;
      member.refreshedIn = cycle;
    }
    // A network without nodes cannot remove the last one.
    const removedMax = Math.max(0, activeBefore.length + activated.length - 1);
    const removed = [...leaving, ...apoptosized].slice(0, removedMax);
    for (const { validator } of removed) this.#members.delete(validator);
    const record: RecordMembers = {
      active: activeBefore.length,
      nodeListHash: nodeListHashOf(before.map((member) => this.#stated(member))),
      changes: {
        joinedConsensors: joined.map((member) => this.#stated(member)),
        refreshedConsensors: this.#refresh(cycle).map((member) => this.#stated(member)),
        activated: idsOf(activated),
        removed: idsOf(removed.filter((member) => !apoptosized.includes(member))),
        lost: idsOf(lost),
        apoptosized: idsOf(removed.filter((member) => apoptosized.includes(member))),
      },
    };
    return {
      record,
      entries: entriesOf(cycle, joined, activated, removed),
      joined,
      activated,
      removed: removed.map((member) => ({ ...member, isLost: member.lostIn !== undefined })),
      active: this.active,
      syncing: this.#with("syncing").length,
    };
  }

  #add(member: Member, status: MemberState["status"]): void {
    this.#members.set(member.validator, { ...member, status, joinedIn: 0, refreshedIn: -1 });
    this.#publicKeys.add(member.identity.publicKey);
  }

  #with(status: MemberState["status"]): MemberState[] {
    return [...this.#members.values()]
      .filter((member) => member.status === status)
      .sort((a, b) => (a.identity.id < b.identity.id ? -1 : 1));
  }

  /** The active nodes that were listed longest ago; in the first record all of them, which no other record lists. */
  #refresh(cycle: Cycle): MemberState[] {
    const active = this.#with("active");
    const count = cycle === 0 ? active.length : refreshedCount(active.length);
    const refreshed = active.sort((a, b) => a.refreshedIn - b.refreshedIn).slice(0, count);
    for (const member of refreshed) member.refreshedIn = cycle;
    return refreshed;
  }

  #stated({ identity: { id, publicKey }, url, joinedIn }: MemberState): StatedNode {
    const { hostname, port } = new URL(url);
    const syncingTimestamp = this.#startSeconds + joinedIn * this.#cycleDuration;
    return { id, publicKey, externalIp: hostname, externalPort: Number(port), syncingTimestamp };
  }
}

function entriesOf(
  cycle: Cycle,
  joined: readonly Member[],
  activated: readonly Member[],
  removed: readonly Member[],
): MembershipChange[] {
  return [
    ...joined.map(({ identity: { id, publicKey }, url }) => ({
      type: "node-joined" as const,
      cycle,
      id,
      publicKey,
      url,
    })),
    ...idsOf(activated).map((id) => ({ type: "node-activated" as const, cycle, id })),
    ...idsOf(removed).map((id) => ({ type: "node-removed" as const, cycle, id })),
  ];
}

function idsOf(members: readonly Member[]): NodeId[] {
  return members.map(({ identity }) => identity.id).sort();
}
