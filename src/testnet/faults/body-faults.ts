/** Faults in the body of a response to `POST /snapshot`, independent of its accounts. */

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Pieces, type ResponseContext, ResponseCutError } from "../validator/fault-hooks.ts";
import { type FaultKind, requiredValue } from "./fault-kind.ts";

const fillerCharacters = 64 * 1024;
const drippedCharacters = 700;
const inflatedCharacters = 10_000;
const longBytesMin = 64 * 1024;
const whiteSpaceCharacters = 1024 ** 3;

export const bodyFaults: readonly FaultKind[] = [
  {
    name: "truncate",
    description: "ends the response half-way, within an account",
    apply: ({ hooks }) => void hooks.responses.text.push(firstHalf),
  },
  {
    name: "reset",
    description: "resets the connection half-way",
    apply: ({ hooks }) => void hooks.responses.text.push(thenReset),
  },
  {
    name: "break-half",
    description: "resets half-way through all or <count> responses over 64 KiB",
    parameter: { kind: "count", default: undefined },
    apply: ({ hooks }, count = Infinity) => {
      let left = count;
      hooks.responses.text.push((pieces, { accounts }) => halfOfLong(pieces, accounts, () => left-- > 0));
    },
  },
  {
    name: "stall",
    description: "stops half-way, and keeps the connection open",
    apply: ({ hooks }) => void hooks.responses.text.push(thenStall),
  },
  {
    name: "trickle",
    description: "sends one byte a second after half of the response",
    apply: ({ hooks }) => void hooks.responses.text.push(thenTrickle),
  },
  {
    name: "drip",
    description: "sends <count> invented accounts, then four a second",
    parameter: { kind: "count", default: 0 },
    apply: ({ hooks }, count) => {
      hooks.responses.text.push((_pieces, context) => drip(requiredValue(count), context));
    },
  },
  {
    name: "garbage",
    description: "sends a page of HTML",
    apply: ({ hooks }) => void hooks.responses.text.push(() => ["<!doctype html><title>It works!</title>\n"]),
  },
  {
    name: "white-space",
    description: "sends a gigabyte of white space before the first account",
    apply: ({ hooks }) => void hooks.responses.text.push(afterWhiteSpace),
  },
  {
    name: "endless-record",
    description: "sends one account with endless data",
    apply: ({ hooks }) => void hooks.responses.text.push(endlessRecord),
  },
  {
    name: "gzip",
    description: "compresses its responses, as the protocol permits",
    apply: ({ hooks }) => {
      hooks.responses.isGzip = true;
    },
  },
  {
    name: "gzip-bomb",
    description: "sends one account with endless data, compressed",
    apply: ({ hooks }) => {
      hooks.responses.isGzip = true;
      hooks.responses.text.push(endlessRecord);
    },
  },
  {
    name: "inflate",
    description: "sends <count> MB of invented accounts, compressed",
    parameter: { kind: "count", default: 2_000 },
    apply: ({ hooks }, megabytes) => {
      hooks.responses.isGzip = true;
      hooks.responses.text.push((_pieces, context) => inflated(requiredValue(megabytes), context));
    },
  },
];

async function* firstHalf(pieces: Pieces, { accounts }: ResponseContext): AsyncGenerator<string> {
  let whole = 1 + Math.floor(accounts / 2); // the text before the accounts is a piece too
  for await (const piece of pieces) {
    if (whole === 0) {
      yield piece.slice(0, Math.ceil(piece.length / 2));
      return;
    }
    whole--;
    yield piece;
  }
}

async function* thenReset(pieces: Pieces, context: ResponseContext): AsyncGenerator<string> {
  yield* firstHalf(pieces, context);
  throw new ResponseCutError();
}

/**
 * Yields the first half of a text of more than {@link longBytesMin} bytes, and then cuts the response. A shorter text is
 * whole.
 *
 * @param isCut whether to cut; called once, for a text that is long enough
 */
async function* halfOfLong(pieces: Pieces, accounts: number, isCut: () => boolean): AsyncGenerator<string> {
  // Pieces are held until the text is known to be long, and then to send larger chunks.
  let held: string[] = [];
  let heldBytes = 0;
  let isLong = false;
  let whole = 1 + Math.floor(accounts / 2); // the text before the accounts is a piece too
  for await (const piece of pieces) {
    held.push(piece);
    heldBytes += Buffer.byteLength(piece);
    if (heldBytes <= longBytesMin) continue;
    if (!isLong && !isCut()) whole = Infinity;
    isLong = true;
    if (held.length > whole) break;
    yield held.join("");
    whole -= held.length;
    held = [];
    heldBytes = 0;
  }
  const next = isLong ? held[whole] : undefined;
  if (next === undefined) return yield held.join("");
  yield held.slice(0, whole).join("") + next.slice(0, Math.ceil(next.length / 2));
  throw new ResponseCutError();
}

async function* thenStall(pieces: Pieces, context: ResponseContext): AsyncGenerator<string> {
  yield* firstHalf(pieces, context);
  await new Promise(() => undefined);
}

async function* thenTrickle(pieces: Pieces, context: ResponseContext): AsyncGenerator<string> {
  yield* firstHalf(pieces, context);
  for (;;) {
    yield " ";
    await sleep(1000, undefined, { ref: false });
  }
}

/** Yields accounts that compress well, but not so well that a bound on the ratio rejects them. */
function* inflated(megabytes: number, { selection }: ResponseContext): Generator<string> {
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

/** Yields useless accounts, fast enough that the response does not count as stalled. */
async function* drip(count: number, { selection }: ResponseContext): AsyncGenerator<string> {
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

function* endlessRecord(_pieces: Pieces, { selection }: ResponseContext): Generator<string> {
  yield `{"snapshot":[{"accountId":"${selection.accountStart}","data":"`;
  const filler = "a".repeat(fillerCharacters);
  for (;;) yield filler;
}
