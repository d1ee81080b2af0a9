/** The mirrors of a simulated network: honest, wrong and slow ones, and ones that break off, linger or go away. */

import { attemptsMax } from "../limits/http.ts";
import { asMirrorIndex, asMirrorUrl, type MirrorUrl, type Partition } from "../protocol/brands.ts";
import type { Random } from "../testnet/state/random.ts";
import type { Behaviour, VirtualPeer } from "./virtual-peer.ts";

interface MirrorSettings {
  readonly partitions: readonly Partition[];
  readonly numNodes: number;
  /** Bytes of a partition. */
  readonly typical: number;
  readonly hasMirrors: boolean;
}

export interface Mirrors {
  readonly mirrors: readonly VirtualPeer[];
  /** Whether no validator has the snapshot any more. */
  readonly isGone: boolean;
}

export function makeMirrors(random: Random, settings: MirrorSettings): Mirrors {
  if (!settings.hasMirrors || random.below(3) > 0) return { mirrors: [], isGone: false };
  const isGone = random.below(3) === 0;
  const count = 1 + random.below(3);
  // One of the mirrors is honest where nothing else is left.
  const honest = isGone ? random.below(count) : -1;
  const mirrors = Array.from({ length: count }, (_, place) =>
    makeMirror(random, settings, { place, isHonest: place === honest }),
  );
  return { mirrors, isGone };
}

export function mirrorUrl(place: number): MirrorUrl {
  return asMirrorUrl(`http://mirror-${place}/`);
}

function makeMirror(
  random: Random,
  { partitions, numNodes, typical }: MirrorSettings,
  { place, isHonest }: { readonly place: number; readonly isHonest: boolean },
): VirtualPeer {
  const behaviour = makeBehaviour(random, partitions);
  const cuts = random.pick([0, 0, 1, attemptsMax + 1]);
  return {
    index: asMirrorIndex(numNodes + place),
    id: mirrorUrl(place),
    behaviour: isHonest ? { kind: "honest" } : behaviour,
    cuts: isHonest ? 0 : cuts,
    latencyMs: 1 + random.below(150),
    bytesPerMs: random.below(4) === 0 ? typical / 10_000 : 2_000 + random.below(100_000),
    knowsRanges: random.below(4) > 0,
    isSorted: true,
    delta: "ignores",
  };
}

function makeBehaviour(random: Random, all: readonly Partition[]): Behaviour {
  const share = random.pick([10, 50, 100]);
  const partitions = new Set(all.filter(() => random.below(100) < share));
  const atMs = random.below(30_000);
  return random.pick<Behaviour>([
    { kind: "honest" },
    { kind: "honest" },
    { kind: "lies", partitions, isColluding: random.below(2) === 0 },
    { kind: "lies", partitions, isColluding: random.below(2) === 0 },
    { kind: "down" },
    { kind: "dies", atMs },
    { kind: "drops", atMs },
    { kind: "stalls" },
    { kind: "refuses", status: 503, times: 1 + random.below(attemptsMax + 1), retryAfterMs: 1_000 },
    { kind: "lingers" },
  ]);
}
