/** The text of accounts as validators send them, from their copies (PROTOCOL.md, Partial snapshots). */

import type { AccountCopy, CopyBatch } from "../../artifact/account-copies.ts";
import { ResponseReader } from "../../canonical/response-reader.ts";
import { ResponseError } from "../../errors/response-error.ts";
import { canonicalText } from "../../protocol/crypto/canonical-text.ts";
import type { Shard } from "../../protocol/shard.ts";

/** The share of accounts above which the reader of responses, which takes a slow path for them, costs more than it saves. */
const slowShareMax = 1 / 4;

/** Writes the accounts of one response. */
export class AccountWriter {
  readonly #shard: Shard;
  #usesReader = true;

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /**
   * Returns the JSON text of each account whose copy is given: who receives it computes the same copy, and so the same
   * partition hash.
   *
   * A copy has the data as text: their canonical text, or themselves if they were a text. A text that is the canonical text
   * of an object or a list is sent as that value, as validators do, and every other one as a text. The copy of both is the
   * same; if the account's data were a text that looks like an object, this is not visible in the copy.
   */
  textsOf({ copies, bytes }: CopyBatch): string[] {
    if (this.#usesReader) {
      const texts = copies.map((copy) => wrappedText(copy, looksLikeValue(copy.data)));
      // The reader of responses makes the copies again: if they are the same, each text is the right one.
      const received = copiesOf(texts, this.#shard);
      this.#usesReader = (received?.runs ?? 0) <= Math.max(1, slowShareMax * copies.length);
      if (received?.bytes.equals(bytes) === true) return texts;
    }
    return copies.map((copy) => wrappedText(copy, looksLikeValue(copy.data) && isCanonical(copy.data)));
  }
}

/** @param isValue whether the data are sent as the value of their text */
function wrappedText({ accountId, data, hash, isGlobal, timestamp }: AccountCopy, isValue: boolean): string {
  const value = isValue ? data : JSON.stringify(data);
  const syncData = isGlobal === 1 ? ',"syncData":{"isGlobal":true}' : "";
  return `{"accountId":"${accountId}","data":${value},"stateId":${JSON.stringify(hash)},"timestamp":${String(timestamp)}${syncData}}`;
}

function looksLikeValue(data: string): boolean {
  return data.startsWith("{") || data.startsWith("[");
}

interface ReceivedCopies {
  /** With commas between them. */
  readonly bytes: Buffer;
  /** Each account on the slow path is a run of its own. */
  readonly runs: number;
}

/** Returns the copies that the receiver of these texts computes; `undefined` if it refuses them. */
function copiesOf(texts: readonly string[], shard: Shard): ReceivedCopies | undefined {
  const reader = new ResponseReader(shard);
  try {
    const pieces: Buffer[] = [];
    // The memory of a run is used again.
    const add = (bytes: Buffer) => pieces.push(...(pieces.length > 0 ? [comma] : []), Buffer.from(bytes));
    for (const { bytes } of reader.read(Buffer.from(`{"snapshot":[${texts.join(",")}]}`))) add(bytes);
    for (const { bytes } of reader.rest()) add(bytes);
    reader.end();
    return { bytes: Buffer.concat(pieces), runs: (pieces.length + 1) / 2 };
  } catch (error) {
    if (error instanceof ResponseError) return undefined;
    throw error;
  } finally {
    reader.close();
  }
}

const comma = Buffer.from(",");

function isCanonical(data: string): boolean {
  try {
    return canonicalText(data) === data;
  } catch {
    return false; // not JSON, or beyond a bound of canonical texts
  }
}
