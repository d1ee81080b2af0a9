/** The text of an account as validators send it, from its copy (PROTOCOL.md, Partial snapshots). */

import type { AccountCopy } from "../../artifact/account-copies.ts";
import { canonicalText } from "../../protocol/crypto/canonical-text.ts";

/**
 * Returns the JSON text of the account whose copy is given: who receives it computes the same copy, and so the same
 * partition hash.
 *
 * A copy has the data as text: their canonical text, or themselves if they were a text. A text that is the canonical text
 * of an object or a list is sent as that value, as validators do, and every other one as a text. The copy of both is the
 * same; if the account's data were a text that looks like an object, this is not visible in the copy.
 */
export function wrappedText({ accountId, data, hash, isGlobal, timestamp }: AccountCopy): string {
  const value = isCanonical(data) ? data : JSON.stringify(data);
  const syncData = isGlobal === 1 ? ',"syncData":{"isGlobal":true}' : "";
  return `{"accountId":"${accountId}","data":${value},"stateId":${JSON.stringify(hash)},"timestamp":${String(timestamp)}${syncData}}`;
}

function isCanonical(data: string): boolean {
  if (!data.startsWith("{") && !data.startsWith("[")) return false;
  try {
    return canonicalText(data) === data;
  } catch {
    return false; // not JSON, or beyond a bound of canonical texts
  }
}
