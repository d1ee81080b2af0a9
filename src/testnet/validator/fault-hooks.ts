/**
 * The points at which a validator can deviate from the protocol, so that a cluster can reproduce a hostile network. The
 * hooks of an honest validator change nothing.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpError } from "../../http-server/http-error.ts";
import type { WrappedData } from "../../protocol/account-copy.ts";
import type { Cycle, HashHex, Partition } from "../../protocol/brands.ts";
import type { Selection } from "../../wire/snapshot-request.ts";
import type { SignedVote } from "./gossip/vote.ts";
import type { StateView } from "./state-view.ts";

/** The facts about a response to `POST /snapshot` before its first byte. */
export interface ResponseContext {
  /** As requested. */
  readonly selection: Selection;
  /** The number of accounts in an honest response. */
  readonly accounts: number;
}

/** Pieces of the text of a response. They are joined to larger chunks before they are sent. */
export type Pieces = Iterable<string> | AsyncIterable<string>;

/** Ends a connection within a response: the client receives the text so far, and no end of it. */
export class ResponseCutError extends Error {
  override readonly name = "ResponseCutError";
  readonly code = "response-cut";
}

/** The steps of a cycle and its snapshot at which a fault can kill a validator. */
export const validatorSteps = ["commit", "hash", "gossip", "export", "retrieve"] as const;

export type ValidatorStep = (typeof validatorSteps)[number];

type Hashes = ReadonlyMap<Partition, HashHex>;

/** By what they change. The functions of a list are applied in order, each to the result of the one before. */
export interface FaultHooks {
  readonly requests: RequestHooks;
  readonly responses: ResponseHooks;
  readonly gossip: GossipHooks;
  readonly state: StateHooks;
  /** Called when a step is reached. */
  readonly steps: ((step: ValidatorStep) => void)[];
}

export interface RequestHooks {
  /** Receives every request first. Returns `true` where it responds, or never will. */
  readonly intercept: ((request: IncomingMessage, response: ServerResponse) => Promise<boolean>)[];
  /** Change the body of `/netconfig`. */
  readonly netconfig: ((body: object) => object)[];
}

/** Change a response with accounts. */
export interface ResponseHooks {
  /** Change the selection of a request, or reject the request with an {@link HttpError}. */
  readonly select: ((selection: Selection, timestampMs: number) => Selection)[];
  readonly rows: ((rows: Iterable<WrappedData>, context: ResponseContext) => Iterable<WrappedData>)[];
  /** A generator that throws {@link ResponseCutError} ends the connection after the text before it; another error ends the
   *  connection at once. */
  readonly text: ((pieces: Pieces, context: ResponseContext) => Pieces)[];
  isGzip: boolean;
}

export interface GossipHooks {
  /** Change the messages of a cycle that are forwarded and served, each as JSON; `undefined` results in 404. */
  readonly forwarded: ((messages: readonly string[], cycle: Cycle) => readonly string[] | undefined)[];
  /** Make the votes from the own hashes. An honest node has one vote. */
  votes: ((hashes: Hashes) => Hashes)[];
  /** Change the own signed messages. */
  readonly messages: ((message: SignedVote) => SignedVote)[];
  isFirstDesign: boolean;
}

export interface StateHooks {
  /** Change the state that it hashes and exports. */
  readonly views: StateView[];
  /** The pause of an export between two partitions. */
  exportPauseMs: number;
}

export function honestHooks(): FaultHooks {
  return {
    requests: { intercept: [], netconfig: [] },
    responses: { select: [], rows: [], text: [], isGzip: false },
    gossip: { forwarded: [], votes: [(hashes) => hashes], messages: [], isFirstDesign: false },
    state: { views: [], exportPauseMs: 0 },
    steps: [],
  };
}

/** Returns the gossip messages to forward or to serve. */
export function forwardedGossip(
  hooks: FaultHooks,
  cycle: Cycle,
  messages: readonly string[] | undefined,
): readonly string[] | undefined {
  let passed = messages;
  for (const deviate of hooks.gossip.forwarded) passed = passed && deviate(passed, cycle);
  return passed;
}

/** Calls the hooks of a step. */
export function reachStep(hooks: FaultHooks, step: ValidatorStep): void {
  for (const reached of hooks.steps) reached(step);
}

/** Returns the value after all deviations of a list. */
export function deviated<T, A extends unknown[]>(
  deviations: readonly ((value: T, ...rest: A) => T)[],
  honest: T,
  ...rest: A
): T {
  return deviations.reduce((value, deviate) => deviate(value, ...rest), honest);
}
