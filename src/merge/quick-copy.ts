/**
 * The fast way from a record to its copy: cut from the received bytes, without parsing them.
 *
 * The copy of an account holds its data as canonical text, and validators usually send canonical text: then
 * the copy is the very bytes that came, with quotes and backslashes escaped once more. That is assumed here,
 * and never checked. A copy that is wrong makes a partition hash that is wrong, and only agreed hashes are
 * published; whoever merges then has the partition again, and parses. It can never make a wrong one right.
 *
 * What does not look like the usual record is left to the parser: the answer is `undefined`.
 */

const head = '{"accountId":"';
const beforeStateId = '","stateId":"';
const beforeData = '","data":';
const beforeTimestamp = ',"timestamp":';
const digits = 64;

const stateIdAt = head.length + digits + beforeStateId.length;
const dataAt = stateIdAt + digits + beforeData.length;

const hex = /^[0-9a-f]{64}$/;
const ending = /,"timestamp":(0|[1-9]\d{0,14})(?:,"syncData":\{(?:"isGlobal":(true|false))?\})?\}$/y;

export interface QuickCopy {
  readonly accountId: string;
  readonly isGlobal: boolean;
  /** The copy, a character for each byte of its UTF-8. */
  readonly bytes: string;
}

/** @param record one record of an answer, from brace to brace */
export function quickCopy(record: Buffer): QuickCopy | undefined {
  // A character for each byte: JSON.stringify then escapes bytes, and leaves those above 0x7f alone.
  const text = record.toString("latin1");
  if (!text.startsWith(head) || text[dataAt] !== "{") return undefined;
  if (!text.startsWith(beforeStateId, head.length + digits)) return undefined;
  if (!text.startsWith(beforeData, stateIdAt + digits)) return undefined;
  const accountId = text.slice(head.length, head.length + digits);
  const stateId = text.slice(stateIdAt, stateIdAt + digits);
  const endingAt = text.lastIndexOf(beforeTimestamp);
  if (endingAt < dataAt || !hex.test(accountId) || !hex.test(stateId)) return undefined;
  ending.lastIndex = endingAt;
  const match = ending.exec(text);
  if (match === null) return undefined;
  const isGlobal = match[2] === "true";
  const data = JSON.stringify(text.slice(dataAt, endingAt));
  const bytes = `${head}${accountId}","data":${data},"hash":"${stateId}","isGlobal":${isGlobal ? 1 : 0},"timestamp":${match[1]}}`;
  return { accountId, isGlobal, bytes };
}
