/**
 * What a run has of partitions before it requests the rest: the state of an older moment, which accounts that have changed
 * since complete, or the beginning that a response which broke off has left.
 */

import type { BaseFile, BaseSource, Beginning, PartitionBase } from "../../artifact/response-report.ts";
import { brokenDeltasMax, continuationsMax } from "../../limits/seed.ts";
import type { Partition, PeerIndex } from "../../protocol/brands.ts";

/** All accounts of a partition at an older moment, from a seed. */
export interface OlderBase {
  readonly kind: "older";
  /** The name of the seed. */
  readonly seed: string;
  readonly files: readonly BaseSource[];
  /** Milliseconds: every account that has changed since is at least as new. */
  readonly changedSince: number;
}

/** The first accounts of a partition, in order. */
export interface BeginningBase {
  readonly kind: "beginning";
  readonly files: readonly BaseFile[];
  readonly lastId: string;
  readonly bytes: number;
  /** The peers that gave it; `undefined` if an earlier run received it. */
  readonly peers: ReadonlySet<PeerIndex> | undefined;
}

export type Base = OlderBase | BeginningBase;

export class PartitionBases {
  /** Partition → its bases, the first of which is used. */
  readonly #bases = new Map<Partition, Base[]>();
  /** Partitions whose beginnings of different peers did not fit together: only the same peer may continue one. */
  readonly #unmixed = new Set<Partition>();
  /** Partition → how often a beginning was kept. */
  readonly #continuations = new Map<Partition, number>();
  /** Older base → how often a delta broke off that was to complete it. */
  readonly #brokenDeltas = new Map<OlderBase, number>();
  /** Files of beginnings that were rejected: what continues one is wrong as well. */
  readonly #rejected = new Set<string>();
  /** Files that no base needs any more. */
  readonly #unused = new Set<string>();

  constructor(bases: ReadonlyMap<Partition, readonly Base[]> = new Map()) {
    for (const [partition, of] of bases) this.#bases.set(partition, [...of]);
  }

  /** Returns what a peer is requested to complete; `undefined` if it is requested for the whole partition. */
  of(partition: Partition, peer: PeerIndex): Base | undefined {
    const base = this.#bases.get(partition)?.[0];
    if (base?.kind !== "beginning" || !this.#unmixed.has(partition)) return base;
    return isOfPeer(base, peer) ? base : undefined;
  }

  /** Bytes of beginnings, which no hash confirms. */
  get heldBytes(): number {
    let held = 0;
    for (const bases of this.#bases.values())
      for (const base of bases) if (base.kind === "beginning") held += base.bytes;
    return held;
  }

  /** Files that no base needs any more; a request in flight may still complete one. */
  get unused(): ReadonlySet<string> {
    return this.#unused;
  }

  removed(paths: ReadonlySet<string>): void {
    for (const path of paths) this.#unused.delete(path);
  }

  /** A base was not completed to the agreed hash, and is not used again. Who is wrong is unknown. */
  reject(partition: Partition, rejected: Base): void {
    if (rejected.kind === "beginning") this.#unmixed.add(partition);
    this.drop(partition, rejected);
    // What several peers gave, nobody may continue any more.
    if (rejected.kind === "beginning")
      this.#drop(partition, (base) => base.kind === "beginning" && base.peers?.size !== 1);
  }

  /** A delta broke off, and left nothing: after some of them, the partition is requested without its older base. */
  breakOff(partition: Partition, base: Base): void {
    if (base.kind !== "older") return;
    const count = (this.#brokenDeltas.get(base) ?? 0) + 1;
    this.#brokenDeltas.set(base, count);
    if (count >= brokenDeltasMax) this.#drop(partition, (other) => other === base);
  }

  /** The disk has no space for beginnings, or for a base and what completes it. */
  dropAll(): void {
    for (const partition of [...this.#bases.keys()]) this.commit(partition);
  }

  /** A response has left a beginning that is of no use. */
  abandon({ path }: Beginning): void {
    this.#unused.add(path);
  }

  /**
   * A response has left the beginning of a partition.
   *
   * @param completed what the response was to complete
   * @param bytesMax how many bytes a response may leave: what it continues, others have given within the same bound
   * @returns whether it is kept; otherwise its file is unused
   */
  begin(
    { partition, firstId, lastId, bytes, path }: Beginning,
    peer: PeerIndex,
    completed: Base | undefined,
    bytesMax: number,
  ): boolean {
    const file: BaseFile = { path, compression: "none", low: firstId, high: lastId };
    const continued = completed?.kind === "beginning" && firstId > completed.lastId ? completed : undefined;
    const beginning: BeginningBase = {
      kind: "beginning",
      files: [...(continued?.files ?? []), file],
      lastId,
      bytes: bytes + (continued?.bytes ?? 0),
      peers:
        continued === undefined ? new Set([peer]) : continued.peers && new Set([...continued.peers, peer]),
    };
    const count = (this.#continuations.get(partition) ?? 0) + 1;
    const best = this.#bases.get(partition)?.find(({ kind }) => kind === "beginning") as
      | BeginningBase
      | undefined;
    const isBest = best === undefined || best.lastId < lastId;
    const isTooMuch = count > continuationsMax || bytes > bytesMax;
    if (!isBest || isTooMuch || !this.#isUsable(partition, beginning)) {
      this.#unused.add(path);
      return false;
    }
    for (const needed of beginning.files) this.#unused.delete(needed.path);
    this.#continuations.set(partition, count);
    const others = (this.#bases.get(partition) ?? []).filter(({ kind }) => kind === "older");
    if (best !== undefined && best !== continued) this.#release(best, beginning);
    this.#bases.set(partition, [...others, beginning]);
    return true;
  }

  /** A base is wrong, and so is what continues it. */
  drop(partition: Partition, dropped: Base): void {
    if (dropped.kind === "beginning") for (const { path } of dropped.files) this.#rejected.add(path);
    this.#drop(partition, (base) => base === dropped || this.#isRejected(base));
  }

  /** A partition is committed: its bases are of no use any more. */
  commit(partition: Partition): void {
    this.#drop(partition, () => true);
  }

  #isUsable(partition: Partition, beginning: BeginningBase): boolean {
    const isMixed = beginning.peers?.size !== 1;
    return !this.#isRejected(beginning) && !(isMixed && this.#unmixed.has(partition));
  }

  #isRejected({ files }: Base): boolean {
    return files.some(({ path }) => this.#rejected.has(path));
  }

  #drop(partition: Partition, isDropped: (base: Base) => boolean): void {
    const bases = this.#bases.get(partition) ?? [];
    const left = bases.filter((base) => !isDropped(base));
    for (const base of bases) if (!left.includes(base)) this.#release(base, left[0]);
    if (left.length === 0) this.#bases.delete(partition);
    else this.#bases.set(partition, left);
  }

  /** The files of a beginning are unused, except those that another base needs. Those of a seed stay. */
  #release(base: Base, successor: Base | undefined): void {
    if (base.kind === "older") return;
    const needed = new Set(successor?.files.map(({ path }) => path));
    for (const { path } of base.files) if (!needed.has(path)) this.#unused.add(path);
  }
}

/** Returns the base as the receiver of a peer's response needs it. */
export function baseFor(base: Base, peer: PeerIndex): PartitionBase {
  return { files: base.files, isOfPeer: base.kind === "beginning" && isOfPeer(base, peer) };
}

function isOfPeer({ peers }: BeginningBase, peer: PeerIndex): boolean {
  return peers?.size === 1 && peers.has(peer);
}
