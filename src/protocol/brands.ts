/**
 * Types for numbers and text that look alike and must not be confused. A brand exists for the compiler only: a value is
 * a plain number or string at run time, and can be used as one.
 *
 * Brands are made in two places: by `wire/` from text from outside, and by `protocol/`, which computes hashes and the
 * geometry. Other code calls the functions below, which check their value; it has no cast to a brand
 * (test/brands.test.ts).
 */

import { isHex64 } from "./address.ts";

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** The number of a partition: −1 (global accounts) to N − 1. */
export type Partition = Branded<number, "Partition">;

/** The index of a node in ascending order of ID, 0 to N − 1. */
export type NodeIndex = Branded<number, "NodeIndex">;

/** The index of a mirror in a run: those of mirrors follow those of nodes. */
export type MirrorIndex = Branded<number, "MirrorIndex">;

/** The index of a peer, a source of partitions. */
export type PeerIndex = NodeIndex | MirrorIndex;

/** The number of a cycle, from 0. */
export type Cycle = Branded<number, "Cycle">;

/** The ID of a node: 64 lower-case hex digits. */
export type NodeId = Branded<string, "NodeId">;

/** The URL of a mirror without secrets: its user, password and query, where it has them, are `***`. */
export type MirrorUrl = Branded<string, "MirrorUrl">;

/** What events call a peer. */
export type PeerId = NodeId | MirrorUrl;

/** The Ed25519 public key of a node or an archiver: 64 lower-case hex digits. */
export type PublicKey = Branded<string, "PublicKey">;

/** A keyed BLAKE2b hash: 64 lower-case hex digits. */
export type HashHex = Branded<string, "HashHex">;

/**
 * Checks the number of a partition.
 *
 * @throws RangeError if the number is not −1 or a whole number above it
 */
export function asPartition(value: number): Partition {
  return requireWhole("a partition", value, -1) as Partition;
}

/**
 * Checks a node's index.
 *
 * @throws RangeError if the number is not a whole number from 0
 */
export function asNodeIndex(value: number): NodeIndex {
  return requireWhole("a node's index", value, 0) as NodeIndex;
}

/**
 * Checks a mirror's index.
 *
 * @throws RangeError if the number is not a whole number from 0
 */
export function asMirrorIndex(value: number): MirrorIndex {
  return requireWhole("a mirror's index", value, 0) as MirrorIndex;
}

/**
 * Checks the number of a cycle.
 *
 * @throws RangeError if the number is not a whole number from 0
 */
export function asCycle(value: number): Cycle {
  return requireWhole("a cycle", value, 0) as Cycle;
}

/**
 * Checks a node's ID.
 *
 * @throws RangeError if the text is not 64 lower-case hex digits
 */
export function asNodeId(text: string): NodeId {
  if (!isNodeId(text)) throw notHex64("a node's ID", text);
  return text;
}

/**
 * Checks the URL of a mirror.
 *
 * @throws RangeError if the text is not an HTTP URL, or shows a user, a password, a query or a fragment
 */
export function asMirrorUrl(text: string): MirrorUrl {
  // The text may have secrets.
  if (!isMirrorUrl(text)) throw new RangeError("the URL of a mirror is an HTTP URL without secrets");
  return text;
}

/**
 * Checks a public key.
 *
 * @throws RangeError if the text is not 64 lower-case hex digits
 */
export function asPublicKey(text: string): PublicKey {
  if (!isPublicKey(text)) throw notHex64("a public key", text);
  return text;
}

/**
 * Checks a hash.
 *
 * @throws RangeError if the text is not 64 lower-case hex digits
 */
export function asHashHex(text: string): HashHex {
  if (!isHashHex(text)) throw notHex64("a hash", text);
  return text;
}

export function isPartition(value: unknown): value is Partition {
  return Number.isSafeInteger(value) && Number(value) >= -1;
}

/** @param numNodes how many nodes the run has: indices of mirrors follow those of nodes */
export function isMirrorIndex(index: PeerIndex, numNodes: number): index is MirrorIndex {
  return index >= numNodes;
}

export function isCycle(value: unknown): value is Cycle {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

export function isNodeId(text: unknown): text is NodeId {
  return isHex64(text);
}

export function isMirrorUrl(text: string): text is MirrorUrl {
  if (!/^https?:/.test(text) || !URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return (
    password === "" &&
    ["", "***"].includes(username) &&
    ["", "?***"].includes(search) &&
    ["", "#***"].includes(hash)
  );
}

export function isPublicKey(text: unknown): text is PublicKey {
  return isHex64(text);
}

export function isHashHex(text: unknown): text is HashHex {
  return isHex64(text);
}

function requireWhole(what: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new RangeError(`${what} is a whole number from ${min}, not ${value}`);
}

function notHex64(what: string, text: unknown): RangeError {
  return new RangeError(`${what} is 64 lower-case hex digits, not ${JSON.stringify(text)}`);
}
