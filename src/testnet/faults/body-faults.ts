/** Faults in the text of an answer to `POST /snapshot`, whatever the accounts in it. */

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { AnswerContext, Pieces } from "../validator/fault-hooks.ts";
import { type FaultKind, given } from "./fault-kind.ts";

const fillerCharacters = 64 * 1024;
const drippedCharacters = 700;
const inflatedCharacters = 10_000;
const whiteSpaceCharacters = 1024 ** 3;

export const bodyFaults: readonly FaultKind[] = [
  {
    name: "truncate",
    description: "ends the answer in the middle of an account, half-way",
    apply: ({ conduct }) => void conduct.text.push(firstHalf),
  },
  {
    name: "reset",
    description: "breaks the connection off, half-way",
    apply: ({ conduct }) => void conduct.text.push(thenReset),
  },
  {
    name: "stall",
    description: "sends nothing more, half-way, and keeps the connection",
    apply: ({ conduct }) => void conduct.text.push(thenStall),
  },
  {
    name: "trickle",
    description: "sends a byte a second, half-way, for ever",
    apply: ({ conduct }) => void conduct.text.push(thenTrickle),
  },
  {
    name: "drip",
    description: "sends made-up accounts: so many, then four a second",
    parameter: { kind: "count", default: 0 },
    apply: ({ conduct }, count) => {
      conduct.text.push((_pieces, context) => drip(given(count), context));
    },
  },
  {
    name: "garbage",
    description: "answers with a page of HTML",
    apply: ({ conduct }) => void conduct.text.push(() => ["<!doctype html><title>It works!</title>\n"]),
  },
  {
    name: "white-space",
    description: "sends a gigabyte of white space before the first account",
    apply: ({ conduct }) => void conduct.text.push(afterWhiteSpace),
  },
  {
    name: "endless-record",
    description: "sends one account whose data never ends",
    apply: ({ conduct }) => void conduct.text.push(endlessRecord),
  },
  {
    name: "gzip",
    description: "compresses its answers, as the protocol allows",
    apply: ({ conduct }) => {
      conduct.isGzip = true;
    },
  },
  {
    name: "gzip-bomb",
    description: "sends one account whose data never ends, compressed",
    apply: ({ conduct }) => {
      conduct.isGzip = true;
      conduct.text.push(endlessRecord);
    },
  },
  {
    name: "inflate",
    description: "sends so many MB of made-up accounts, compressed",
    parameter: { kind: "count", default: 2_000 },
    apply: ({ conduct }, megabytes) => {
      conduct.isGzip = true;
      conduct.text.push((_pieces, context) => inflated(given(megabytes), context));
    },
  },
];

async function* firstHalf(pieces: Pieces, { accounts }: AnswerContext): AsyncGenerator<string> {
  let whole = 1 + Math.floor(accounts / 2); // what stands before the accounts is a piece as well
  for await (const piece of pieces) {
    if (whole === 0) {
      yield piece.slice(0, Math.ceil(piece.length / 2));
      return;
    }
    whole--;
    yield piece;
  }
}

async function* thenReset(pieces: Pieces, context: AnswerContext): AsyncGenerator<string> {
  yield* firstHalf(pieces, context);
  await sleep(20); // for what was sent to get there
  throw new Error("the connection is to be reset");
}

async function* thenStall(pieces: Pieces, context: AnswerContext): AsyncGenerator<string> {
  yield* firstHalf(pieces, context);
  await new Promise(() => undefined);
}

async function* thenTrickle(pieces: Pieces, context: AnswerContext): AsyncGenerator<string> {
  yield* firstHalf(pieces, context);
  for (;;) {
    yield " ";
    await sleep(1000, undefined, { ref: false });
  }
}

/** Compressed, and yet nothing that a bound on the ratio would notice. */
function* inflated(megabytes: number, { selection }: AnswerContext): Generator<string> {
  const filler = "x".repeat(inflatedCharacters);
  yield '{"snapshot":[';
  for (let number = 0; number * inflatedCharacters < megabytes * 1_000_000; number++) {
    const account = {
      accountId: selection.accountStart.slice(0, 16) + number.toString(16).padStart(48, "0"),
      stateId: randomBytes(32).toString("hex"),
      data: { filler },
      timestamp: 1,
      syncData: { isGlobal: selection.isGlobal === true },
    };
    yield `${number === 0 ? "" : ","}${JSON.stringify(account)}`;
  }
  yield "]}";
}

/** Fast enough not to be taken for stalled, and never of any use. */
async function* drip(count: number, { selection }: AnswerContext): AsyncGenerator<string> {
  const made = (number: number) =>
    JSON.stringify({
      accountId: selection.accountStart.slice(0, 16) + number.toString(16).padStart(48, "0"),
      stateId: "0".repeat(64),
      data: { filler: "x".repeat(drippedCharacters) },
      timestamp: 1,
      syncData: { isGlobal: selection.isGlobal === true },
    });
  yield '{"snapshot":[';
  yield Array.from({ length: count + 1 }, (_, number) => made(number)).join(",");
  for (let number = count + 1; ; number++) {
    yield `,${made(number)}`;
    await sleep(250, undefined, { ref: false });
  }
}

async function* afterWhiteSpace(pieces: Pieces): AsyncGenerator<string> {
  const filler = " ".repeat(fillerCharacters);
  let isStart = true;
  for await (const piece of pieces) {
    yield piece;
    for (let sent = 0; isStart && sent < whiteSpaceCharacters; sent += fillerCharacters) yield filler;
    isStart = false;
  }
}

function* endlessRecord(_pieces: Pieces, { selection }: AnswerContext): Generator<string> {
  yield `{"snapshot":[{"accountId":"${selection.accountStart}","data":"`;
  const filler = "a".repeat(fillerCharacters);
  for (;;) yield filler;
}
