/** Parses a request for a partial snapshot (PROTOCOL.md, Partial snapshots). Errors name the field. */

import { parseJson, WireError } from "./parse.ts";
import * as z from "./schema.ts";

/** The accounts that a request selects. */
export interface Selection {
  /** Inclusive addresses. */
  readonly accountStart: string;
  readonly accountEnd: string;
  /** `true` for global accounts only, `false` for the others only, `undefined` for both. */
  readonly isGlobal: boolean | undefined;
  /** Milliseconds, inclusive: accounts with an older timestamp are left out. `undefined` leaves out none. */
  readonly changedSince: number | undefined;
}

/** All accounts of a node: the selection of a request with a timestamp alone. */
export const EVERYTHING: Selection = {
  accountStart: "0".repeat(64),
  accountEnd: "f".repeat(64),
  isGlobal: undefined,
  changedSince: undefined,
};

export interface SnapshotRequest {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly selection: Selection;
}

const address = z.string().regex(/^[0-9a-f]{64}$/, "not 64 lower-case hex digits");

const milliseconds = z.int("not a whole number of milliseconds").nonnegative("negative");

/** Unknown fields are permitted: a node must ignore the fields of later extensions. */
const schema = z
  .object({
    timestamp: milliseconds,
    accountStart: address.default(EVERYTHING.accountStart),
    accountEnd: address.default(EVERYTHING.accountEnd),
    isGlobal: z.boolean("neither true nor false").optional(),
    changedSince: milliseconds.optional(),
  })
  .refine((body) => body.accountStart <= body.accountEnd, {
    path: ["accountEnd"],
    message: "below accountStart",
  });

/**
 * Parses the body of `POST /snapshot`.
 *
 * @throws SnapshotRequestError
 */
export function parseSnapshotRequest(body: string): SnapshotRequest {
  let json: unknown;
  try {
    json = parseJson(body, "the body");
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new SnapshotRequestError("the body is not JSON");
  }
  return snapshotRequestOf(json);
}

/**
 * Parses a request that is an object.
 *
 * @throws SnapshotRequestError
 */
export function snapshotRequestOf(json: unknown): SnapshotRequest {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") || "the body";
    throw new SnapshotRequestError(`${field}: ${issue?.message ?? "invalid"}`);
  }
  const { timestamp, accountStart, accountEnd, isGlobal, changedSince } = parsed.data;
  return { timestamp, selection: { accountStart, accountEnd, isGlobal, changedSince } };
}

/** A request that is malformed. The message names the field, and nothing else. */
export class SnapshotRequestError extends Error {
  override readonly name = "SnapshotRequestError";
  readonly code = "snapshot-request";
}
