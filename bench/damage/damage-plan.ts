/** A seeded plan of damage to published snapshots, with its permitted cost. */

import { gunzipSync } from "node:zlib";
import type { PublishedFiles } from "./published-files.ts";

export type Compression = "none" | "gzip";

export type DamageAction =
  | { readonly kind: "flip"; readonly place: string; readonly at: number; readonly bit: number }
  | { readonly kind: "truncate"; readonly at: number }
  | { readonly kind: "append" | "delete" | "extra" };

export interface Damage {
  readonly index: number;
  readonly file: string;
  readonly compression: Compression;
  readonly action: DamageAction;
  /** Whether the file is computed from others, so that a repair needs no server. */
  readonly isComputed: boolean;
  /** The partition that a repair has to fetch, and the size of its text. */
  readonly refetched: { readonly partition: number; readonly bytes: number } | undefined;
}

type Planned = Pick<Damage, "file" | "compression" | "action">;
type Pristine = Readonly<Record<Compression, PublishedFiles>>;

/** Files that are computed from the artifacts, the signed messages, the lists and the settings. */
const computed = new Set(["export-manifest.json", "export-data.jsonl", "run.json", "evidence/counting.json"]);
const compressions: readonly Compression[] = ["none", "gzip"];
const otherKinds = ["truncate", "append", "delete", "extra"] as const;
const extraFiles = ["partition-00009.json", "evidence/notes.txt", ".hidden", "run.json~"];
const places = ["anywhere", "anywhere", "begin", "end", "last bit", "white space"];
/** The checksum and the length at the end of a gzip file. */
const gzipTrailerBytes = 8;
const gzipHeaderBytes = 10;

/** Plans bit flips in every file in turn, and a tenth as many other kinds of damage. */
export function planDamage(pristine: Pristine, flips: number, seed: number): Damage[] {
  const random = new SeededRandom(seed);
  const planned: Planned[] = [];
  for (let index = 0; index < flips; index++) {
    const compression = index % 2 === 0 ? "none" : "gzip";
    const files = [...pristine[compression].bytes];
    const [file, bytes] = at(files, (index >> 1) % files.length);
    planned.push({ file, compression, action: planFlip(file, bytes, random) });
  }
  for (let index = 0; index < Math.max(otherKinds.length, Math.round(flips / 10)); index++) {
    const compression = random.pick(compressions);
    const kind = at(otherKinds, index % otherKinds.length);
    planned.push(planOther(kind, compression, pristine[compression], random));
  }
  return planned.map((one, index) => ({
    ...one,
    index,
    isComputed: computed.has(one.file) || one.action.kind === "extra",
    refetched: refetchedBy(one, pristine[one.compression]),
  }));
}

function planOther(
  kind: (typeof otherKinds)[number],
  compression: Compression,
  { bytes }: PublishedFiles,
  random: SeededRandom,
): Planned {
  if (kind === "extra") return { file: random.pick(extraFiles), compression, action: { kind } };
  const [file, content] = random.pick([...bytes]);
  if (kind !== "truncate") return { file, compression, action: { kind } };
  return { file, compression, action: { kind, at: random.below(content.length) } };
}

/** Plans a flip anywhere, at either end, or in white space: bits without a meaning are damaged as well. */
function planFlip(file: string, bytes: Buffer, random: SeededRandom): DamageAction {
  const isCompressed = file.endsWith(".gz");
  const place = random.pick(places);
  const flip = { kind: "flip", place, at: random.below(bytes.length), bit: random.below(8) } as const;
  if (place === "begin") return { ...flip, at: Math.min(bytes.length - 1, random.below(10)) };
  if (place === "end") return { ...flip, at: Math.max(0, bytes.length - 1 - random.below(10)) };
  // The last bit of the compressed data may be padding.
  if (place === "last bit" && isCompressed)
    return { ...flip, at: bytes.length - gzipTrailerBytes - 1, bit: 7 };
  if (place === "white space" && !isCompressed) {
    const spaces = [...bytes.keys()].filter((index) => bytes[index] === 0x20 || bytes[index] === 0x0a);
    if (spaces.length > 0) return { ...flip, at: random.pick(spaces) };
  }
  return flip;
}

function refetchedBy({ file, action }: Planned, { bytes }: PublishedFiles): Damage["refetched"] {
  const match = /^partition-(global|\d+)\.json(\.gz)?$/.exec(file);
  const content = bytes.get(file);
  if (match === null || content === undefined || action.kind === "extra") return undefined;
  const isCompressed = match[2] !== undefined;
  // Where its text is intact, the artifact only has to be compressed again.
  if (action.kind === "flip" && isCompressed && isTextIntact(flipped(content, action), content))
    return undefined;
  const text = isCompressed ? gunzipSync(content) : content;
  return { partition: match[1] === "global" ? -1 : Number(match[1]), bytes: text.length };
}

/** Whether a strict reader of gzip still gets the text, which excludes any change of the header. */
function isTextIntact(changed: Buffer, bytes: Buffer): boolean {
  if (!changed.subarray(0, gzipHeaderBytes).equals(bytes.subarray(0, gzipHeaderBytes))) return false;
  try {
    return gunzipSync(changed).equals(gunzipSync(bytes));
  } catch {
    return false;
  }
}

export function flipped(
  bytes: Buffer,
  { at: index, bit }: { readonly at: number; readonly bit: number },
): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(index) ^ (1 << bit), index);
  return changed;
}

/** The seeded sequence of mulberry32. */
class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }

  pick<T>(list: readonly T[]): T {
    return at(list, this.below(list.length));
  }

  /** Returns a number from 0 up to 1. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** @throws RangeError */
function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`no element ${index} of ${list.length}`);
  return value;
}
