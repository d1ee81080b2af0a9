/**
 * The hash of an account as applications compute it. A validator that syncs skips an account whose data does not hash to
 * the account's own hash, so the operator should know before it is restored.
 */

import { CanonicalTextError, canonicalTextOf } from "../protocol/crypto/canonical-text.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import type { AccountCopy } from "./account-copy.ts";

/**
 * `data`: the hash of the data without its `hash`, for every type of account (archiver 3.7.7 and later applications).
 * `shardeum-1.14`: that of Shardeum 1.14.2, which hashes only some fields of four types.
 */
export type AccountHashRule = "data" | "shardeum-1.14";

export const accountHashRules: readonly AccountHashRule[] = ["data", "shardeum-1.14"];

/** How many accounts have the hash that each rule computes. */
export interface AccountHashCounts {
  readonly data: number;
  readonly "shardeum-1.14": number;
  /** Accounts that fit none of the rules that were tried. */
  readonly neither: number;
}

export class AccountHashCounter {
  readonly #hashKey: string;
  readonly rules: readonly AccountHashRule[];
  readonly #counts = { data: 0, "shardeum-1.14": 0, neither: 0 };

  /** @param rules the rules that are tried, in this order; an account counts for the first that fits */
  constructor(hashKey: string, rules: readonly AccountHashRule[]) {
    this.#hashKey = hashKey;
    this.rules = rules;
  }

  get counts(): AccountHashCounts {
    return { ...this.#counts };
  }

  /** @param data the parsed data of the copy */
  add(copy: AccountCopy, data: unknown): void {
    if (this.rules.length === 0) return;
    const fitting = this.rules.find((rule) => this.#fits(copy, rule, data));
    this.#counts[fitting ?? "neither"]++;
  }

  #fits(copy: AccountCopy, rule: AccountHashRule, data: unknown): boolean {
    if (rule === "data" && fitsText(copy, this.#hashKey)) return true;
    return accountHash(rule, data, this.#hashKey) === copy.hash;
  }
}

/**
 * Returns whether the hash of a copy is that of its data's text without the member `hash`. The text is canonical, so what
 * remains is what was hashed, and nothing needs to be written again. Another order of equal members may hide it.
 */
function fitsText({ data, hash }: AccountCopy, hashKey: string): boolean {
  const member = `"hash":"${hash}"`;
  const at = data.indexOf(member);
  if (at < 1) return false;
  const end = at + member.length;
  const isFirst = data[at - 1] === "{";
  const rest = isFirst
    ? data.slice(0, at) + data.slice(data[end] === "," ? end + 1 : end)
    : data.slice(0, at - 1) + data.slice(end);
  return hashText(rest, hashKey) === hash;
}

/** Returns the hash of an account's data; `undefined` if it has none. */
export function accountHash(rule: AccountHashRule, data: unknown, hashKey: string): string | undefined {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return undefined;
  const fields = { ...(data as Record<string, unknown>) };
  const hashed = rule === "data" ? withoutHash(fields) : hashedByShardeum(fields);
  try {
    return hashText(canonicalTextOf(hashed), hashKey);
  } catch (error) {
    if (error instanceof CanonicalTextError) return undefined;
    throw error;
  }
}

function withoutHash({ hash: _hash, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}

/** Shardeum 1.14.2, `src/shardeum/calculateAccountHash.ts`: `accountSpecificHash`. */
function hashedByShardeum(data: Record<string, unknown>): Record<string, unknown> {
  switch (data["accountType"]) {
    case 0: {
      const { account, operatorAccountInfo, timestamp } = data;
      const always = { EVMAccountInfo: account, timestamp };
      return operatorAccountInfo ? { ...always, operatorAccountInfo } : always;
    }
    case 1:
      return { key: data["key"], value: data["value"] };
    case 2:
      return { key: data["codeHash"], value: data["codeByte"] };
    case 3:
      return { key: data["txId"], value: data["receipt"] };
    default:
      return withoutHash(data);
  }
}
