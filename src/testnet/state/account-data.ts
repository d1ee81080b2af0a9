/**
 * The data of accounts, as diverse as in real networks: EVM accounts with big integers and byte arrays, EVM storage and
 * code, plain objects of an application, and strings. Keys are unordered: a program that hashes the received text instead
 * of the canonical text gets wrong hashes.
 */

import type { WrappedData } from "../../protocol/account-copy.ts";
import type { Random } from "./random.ts";

/** The properties of an account that its data repeats. */
export interface DataContext {
  readonly stateId: string;
  readonly timestamp: number;
  /** The approximate size of the data, where its kind permits a choice. */
  readonly bytes: number;
}

type DataMaker = (random: Random, context: DataContext) => unknown;

/** EVM accounts are the most frequent kind. */
const kinds: readonly [DataMaker, ...DataMaker[]] = [
  evmAccount,
  evmAccount,
  evmAccount,
  evmStorage,
  evmStorage,
  evmCode,
  profile,
  ledger,
  plainText,
  jsonText,
];

export function makeData(random: Random, context: DataContext): unknown {
  return random.pick(kinds)(random, context);
}

/** Returns the account with one character of its data changed, and of the same length. */
export function tampered(account: WrappedData): WrappedData {
  const { data } = account;
  if (typeof data === "string") return { ...account, data: withOtherStart(data) };
  const { hash } = data as { hash: string };
  return { ...account, data: { ...(data as object), hash: withOtherStart(hash) } };
}

function withOtherStart(text: string): string {
  return `${text.startsWith("0") ? "1" : "0"}${text.slice(1)}`;
}

function evmAccount(random: Random, { stateId, timestamp }: DataContext): unknown {
  return {
    accountType: 0,
    ethAddress: `0x${random.hex(5)}`,
    hash: stateId,
    timestamp,
    account: {
      nonce: bigInteger(random.below(5000)),
      balance: { value: `${(1 + random.below(15)).toString(16)}${random.hex(2)}00`, dataType: "bi" },
      storageRoot: byteArray(random, 32),
      codeHash: byteArray(random, 32),
    },
  };
}

function evmStorage(random: Random, { stateId, bytes }: DataContext): unknown {
  const value = byteArray(random, varied(random, bytes));
  return { key: random.hex(8), value, accountType: 1, hash: stateId };
}

function evmCode(random: Random, { stateId, bytes }: DataContext): unknown {
  const codeByte = byteArray(random, varied(random, bytes));
  return {
    accountType: 2,
    codeHash: byteArray(random, 32),
    codeByte,
    contractAddress: random.hex(5),
    hash: stateId,
  };
}

function profile(random: Random, { stateId, bytes }: DataContext): unknown {
  return {
    name: random.pick(["naïve", "Zoë", 'the "other" one', "back\\slash", "名前", "🦊", ""]),
    balance: random.uint32() / 1000,
    tags: Array.from({ length: random.below(4) }, () => random.hex(1)),
    memo: words(random, varied(random, bytes)),
    nested: { z: null, a: random.below(2) === 0, m: { k: 0.5, ключ: -1e-7, "": [] }, 10: 1e21, 9: {} },
    hash: stateId,
  };
}

function ledger(random: Random, { stateId, timestamp, bytes }: DataContext): unknown {
  const entries = Array.from({ length: 1 + Math.floor(varied(random, bytes) / 180) }, (_, index) => ({
    to: random.hex(5),
    amount: bigInteger(random.uint32()),
    at: timestamp - index * 1000,
    // The long form of a buffer; the canonical text has the short form.
    proof: { type: "Buffer", data: [random.below(256), random.below(256), random.below(256)] },
  }));
  return { type: "ledger", hash: stateId, entries };
}

function plainText(random: Random, { bytes }: DataContext): unknown {
  return words(random, varied(random, bytes));
}

function jsonText(random: Random, context: DataContext): unknown {
  return JSON.stringify(profile(random, context));
}

/** Returns a random size from 0.5 to 1.5 times `bytes`. */
function varied(random: Random, bytes: number): number {
  return Math.floor(bytes / 2) + random.below(bytes + 1);
}

function bigInteger(value: number): object {
  return { dataType: "bi", value: value.toString(16) };
}

/** Returns a byte array that repeats a random piece, since gigabytes of random bytes would take long to make and to
 *  encode. */
function byteArray(random: Random, bytes: number): object {
  const piece = Buffer.from(random.hex(8), "hex");
  return { dataType: "u8ab", value: Buffer.alloc(bytes, piece).toString("base64") };
}

const vocabulary: readonly [string, ...string[]] = [
  "stake",
  "reward",
  "naïve",
  "Grüße",
  "🚀",
  "👩‍👩‍👧",
  "日本語",
  '"quoted"',
  "back\\slash",
  "line\nbreak",
  "tab\there",
  "\u2028",
  "\u0001",
  "null",
  "]}",
  '{"accountId":"',
  "</script>",
  "e\u0301",
  "0x00",
  "'",
  "\u00ad",
];

/** Returns about `bytes` bytes of text: random words, repeated. */
function words(random: Random, bytes: number): string {
  let sentence = random.hex(1);
  for (let count = 0; count < 8; count++) sentence += ` ${random.pick(vocabulary)}`;
  const repetitions = Math.max(1, Math.round(bytes / Buffer.byteLength(sentence)));
  return sentence.repeat(repetitions);
}
