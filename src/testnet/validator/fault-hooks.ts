/**
 * Where a validator may be made to deviate from the protocol, so that a cluster can show what an
 * assembler meets in a hostile network. An honest validator has none of these.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { WrappedData } from "../../protocol/account-copy.ts";
import type { SignedVote } from "./gossip/vote.ts";
import type { Selection } from "./state/account-source.ts";
import type { StateView } from "./state-view.ts";

/** What is known of an answer to `POST /snapshot` before its first byte. */
export interface AnswerContext {
  /** As requested. */
  readonly selection: Selection;
  /** Accounts that an honest answer has. */
  readonly accounts: number;
}

/** Pieces of an answer's text; they are joined to larger chunks on their way to the socket. */
export type Pieces = Iterable<string> | AsyncIterable<string>;

/** What a validator does for a cycle and its snapshot, as far as it can be made to die at it. */
export const validatorSteps = ["commit", "hash", "gossip", "export", "retrieve"] as const;

export type ValidatorStep = (typeof validatorSteps)[number];

type Hashes = ReadonlyMap<number, string>;

/** Every list is applied in its order, each to what the one before it gave. */
export interface FaultHooks {
  /** Looks at any request first: `true` if it has answered, or never will. */
  readonly intercept: ((request: IncomingMessage, response: ServerResponse) => Promise<boolean>)[];
  /** What a selection is taken to be. */
  readonly select: ((selection: Selection) => Selection)[];
  /** The accounts of an answer. */
  readonly rows: ((rows: Iterable<WrappedData>, context: AnswerContext) => Iterable<WrappedData>)[];
  /** The text of an answer: a generator that throws resets the connection. */
  readonly text: ((pieces: Pieces, context: AnswerContext) => Pieces)[];
  /** The gossip messages of a cycle that are passed on, each as JSON; `undefined` is answered with 404. */
  readonly gossip: ((messages: readonly string[], cycle: number) => readonly string[] | undefined)[];
  /** What it votes, from what it has hashed; an entry for each vote, of which an honest node has one. */
  votes: ((hashes: Hashes) => Hashes)[];
  /** What becomes of its signed messages. */
  readonly messages: ((message: SignedVote) => SignedVote)[];
  isFirstDesign: boolean;
  /** What it takes its state to be. */
  readonly beliefs: StateView[];
  /** Called when a step is reached. */
  readonly steps: ((step: ValidatorStep) => void)[];
  /** How long its exports pause between two partitions. */
  exportPauseMs: number;
  /** The body of `/netconfig`. */
  readonly netconfig: ((body: object) => object)[];
  isGzip: boolean;
}

export function honestHooks(): FaultHooks {
  return {
    intercept: [],
    select: [],
    rows: [],
    text: [],
    gossip: [],
    votes: [(hashes) => hashes],
    messages: [],
    isFirstDesign: false,
    beliefs: [],
    steps: [],
    exportPauseMs: 0,
    netconfig: [],
    isGzip: false,
  };
}

/** The gossip messages that are passed on. */
export function passedOn(
  conduct: FaultHooks,
  cycle: number,
  messages: readonly string[] | undefined,
): readonly string[] | undefined {
  let passed = messages;
  for (const deviate of conduct.gossip) passed = passed && deviate(passed, cycle);
  return passed;
}

/** Says that a step is reached. */
export function reach(conduct: FaultHooks, step: ValidatorStep): void {
  for (const reached of conduct.steps) reached(step);
}

/** The value after all deviations of one list. */
export function deviated<T, A extends unknown[]>(
  deviations: readonly ((value: T, ...rest: A) => T)[],
  honest: T,
  ...rest: A
): T {
  return deviations.reduce((value, deviate) => deviate(value, ...rest), honest);
}
