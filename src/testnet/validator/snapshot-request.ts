/** Parses the body of `POST /snapshot`. Errors name the field. */

import { HttpError } from "../../http-server/http-error.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import * as z from "../../wire/schema.ts";
import { EVERYTHING, type Selection } from "./state/account-source.ts";

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

export interface SnapshotRequest {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly selection: Selection;
}

/**
 * Parses the body of `POST /snapshot`.
 *
 * @throws HttpError with status 400
 */
export function parseSnapshotRequest(body: string): SnapshotRequest {
  let json: unknown;
  try {
    json = parseJson(body, "the body");
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new HttpError(400, "the body is not JSON");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") || "the body";
    throw new HttpError(400, `${field}: ${issue?.message ?? "invalid"}`);
  }
  const { timestamp, accountStart, accountEnd, isGlobal, changedSince } = parsed.data;
  return { timestamp, selection: { accountStart, accountEnd, isGlobal, changedSince } };
}
