/**
 * Where a validator may be made to deviate from the protocol, so that a cluster can show what an
 * assembler meets in a hostile network. An honest validator has none of these.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { WrappedData } from "../model/account-copy.ts";
import type { Selection } from "./account-source.ts";

/** What is known of an answer to `POST /snapshot` before its first byte. */
export interface AnswerContext {
  /** As requested. */
  readonly selection: Selection;
  /** Accounts that an honest answer has. */
  readonly accounts: number;
}

/** Pieces of an answer's text; they are joined to larger chunks on their way to the socket. */
export type Pieces = Iterable<string> | AsyncIterable<string>;

/** Every list is applied in its order, each to what the one before it gave. */
export interface Conduct {
  /** Looks at any request first: `true` if it has answered, or never will. */
  readonly intercept: ((request: IncomingMessage, response: ServerResponse) => Promise<boolean>)[];
  /** What a selection is taken to be. */
  readonly select: ((selection: Selection) => Selection)[];
  /** The accounts of an answer. */
  readonly rows: ((rows: Iterable<WrappedData>, context: AnswerContext) => Iterable<WrappedData>)[];
  /** The text of an answer: a generator that throws resets the connection. */
  readonly text: ((pieces: Pieces, context: AnswerContext) => Pieces)[];
  /** The gossip messages of an answer, each as JSON; `undefined` is answered with 404. */
  readonly gossip: ((messages: readonly string[]) => readonly string[] | undefined)[];
  /** The body of `/netconfig`. */
  readonly netconfig: ((body: object) => object)[];
  isGzip: boolean;
}

export function honestConduct(): Conduct {
  return { intercept: [], select: [], rows: [], text: [], gossip: [], netconfig: [], isGzip: false };
}

/** The value after all deviations of one list. */
export function deviated<T, A extends unknown[]>(
  deviations: readonly ((value: T, ...rest: A) => T)[],
  honest: T,
  ...rest: A
): T {
  return deviations.reduce((value, deviate) => deviate(value, ...rest), honest);
}
