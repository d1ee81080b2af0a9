/**
 * The transaction log of a live cluster, one entry a line: what the validators of a real network agree on by
 * consensus, in the order in which all of them apply it.
 */

import { hex64 } from "../../../wire/hex.ts";
import { parseAs, parseJson } from "../../../wire/parse.ts";
import * as z from "../../../wire/schema.ts";
import type { Transaction } from "./transaction.ts";

/** All transactions of the cycle stand before it, and those of the next behind it. */
export interface CycleEnd {
  readonly type: "cycle-end";
  readonly cycle: number;
  /** Milliseconds: the end of the cycle, which is the timestamp of its snapshot. */
  readonly timestamp: number;
  /** Whether the next cycle is marked: every validator is to hold a snapshot of this moment. */
  readonly snapshot: boolean;
}

/** The first entry: when cycle 0 starts, and how long cycles are, both in seconds. */
export interface LogStart {
  readonly type: "start";
  readonly start: number;
  readonly duration: number;
}

export type LogEntry = Transaction | CycleEnd | LogStart;

const milliseconds = z.int("expected milliseconds").nonnegative("expected milliseconds");
const seconds = z.int("expected seconds").nonnegative("expected seconds");
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
    cycle: z.int().nonnegative(),
    timestamp: milliseconds,
    snapshot: z.boolean(),
  }),
  z.object({ type: z.literal("start"), start: seconds, duration: seconds }),
]);

/** @throws WireError where the line is no entry */
export function parseLogEntry(line: string, source: string): LogEntry {
  return parseAs(entry, parseJson(line, source), source);
}
