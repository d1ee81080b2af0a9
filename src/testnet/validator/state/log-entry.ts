/**
 * The entries of a live cluster's transaction log, one a line, in the order in which all validators apply them. A real
 * network agrees on them by consensus.
 */

import { asCycle, type Cycle, type NodeId, type PublicKey } from "../../../protocol/brands.ts";
import { hex64, nodeId, publicKey } from "../../../wire/hex.ts";
import { parseAs, parseJson } from "../../../wire/parse.ts";
import * as z from "../../../wire/schema.ts";
import type { Transaction } from "./transaction.ts";

/** Separates the transactions of a cycle from those of the next. */
export interface CycleEnd {
  readonly type: "cycle-end";
  readonly cycle: Cycle;
  /** The end of the cycle in milliseconds: the timestamp of its snapshot. */
  readonly timestamp: number;
  /** Whether the next cycle is marked: every validator exports the state of this moment. */
  readonly snapshot: boolean;
}

/**
 * The first entry: the start of cycle 0, and the duration of cycles, both in seconds. The numbers of the cycles of a
 * restarted network continue; its cycle 0 is the one that would have preceded them without a pause.
 */
export interface LogStart {
  readonly type: "start";
  readonly start: number;
  readonly duration: number;
}

/**
 * A change of the nodes by a cycle record. It follows the end of the cycle before, so that every validator has the same
 * nodes at the end of a cycle. `cycle` is the number of the record.
 */
export type MembershipChange =
  /** The node is known from now on, and not active yet. */
  | {
      readonly type: "node-joined";
      readonly cycle: Cycle;
      readonly id: NodeId;
      readonly publicKey: PublicKey;
      readonly url: string;
    }
  | { readonly type: "node-activated" | "node-removed"; readonly cycle: Cycle; readonly id: NodeId };

/**
 * Ends the transactions of the network before a restart that followed its snapshot. They precede all cycles.
 */
export interface Resumed {
  readonly type: "resumed";
  /** The number of these transactions. */
  readonly transactions: number;
}

export type LogEntry = Transaction | MembershipChange | CycleEnd | LogStart | Resumed;

const milliseconds = z.int("expected milliseconds").nonnegative("expected milliseconds");
const seconds = z.int("expected seconds").nonnegative("expected seconds");
const cycleNumber = z.int("expected a cycle").nonnegative("expected a cycle").transform(asCycle);
const hexDigits = z.string().regex(/^[0-9a-f]{1,64}$/, "expected hex digits");

const entry: z.ZodType<LogEntry> = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("transfer"),
    timestamp: milliseconds,
    from: hex64,
    to: hex64,
    amount: hexDigits,
  }),
  z.object({ type: z.literal("set-fee"), timestamp: milliseconds, account: hex64, fee: hexDigits }),
  z.object({
    type: z.literal("cycle-end"),
    cycle: cycleNumber,
    timestamp: milliseconds,
    snapshot: z.boolean(),
  }),
  z.object({ type: z.literal("start"), start: seconds, duration: seconds }),
  z.object({ type: z.literal("resumed"), transactions: z.int("expected a number").nonnegative() }),
  z.object({
    type: z.literal("node-joined"),
    cycle: cycleNumber,
    id: nodeId,
    publicKey,
    url: z.string().regex(/^http:\/\/\S{1,200}$/, "expected a URL"),
  }),
  z.object({ type: z.literal("node-activated"), cycle: cycleNumber, id: nodeId }),
  z.object({ type: z.literal("node-removed"), cycle: cycleNumber, id: nodeId }),
]);

/**
 * Parses one line of the transaction log.
 *
 * @throws WireError where the line is not an entry
 */
export function parseLogEntry(line: string, source: string): LogEntry {
  return parseAs(entry, parseJson(line, source), source);
}
