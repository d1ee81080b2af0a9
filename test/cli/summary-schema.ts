/** The schema of the main job's JSON summary: exactly these fields and types. */

import { z } from "zod";

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const partition = z.int().min(-1);

const fields = {
  type: z.literal("summary"),
  partitions: z.strictObject({ total: count, verified: count }),
  accounts: count,
  bytes: z.strictObject({
    received: count,
    seeded: count,
    sources: z.array(
      z.strictObject({
        source: z.discriminatedUnion("kind", [
          z.strictObject({ kind: z.literal("node"), id: hex64 }),
          z.strictObject({ kind: z.literal("seed"), seed: z.string().min(1) }),
          z.strictObject({ kind: z.enum(["resumed", "published"]) }),
        ]),
        bytes: count,
      }),
    ),
  }),
  stateBytes: count,
  queries: z.array(
    z.strictObject({
      node: hex64,
      partitions: z.array(partition),
      verified: z.array(partition),
      bytes: count,
      outcome: z.enum([
        "complete",
        "wrong",
        "hedged",
        "not-needed",
        "disk-full",
        "unreachable",
        "tls",
        "stalled",
        "reset",
        "status",
        "redirect",
        "not-http",
        "too-large",
        "not-asked",
        "malformed",
        "truncated",
        "over-budget",
      ]),
      status: z.int().optional(),
      durationMs: count,
    }),
  ),
  offences: z.array(
    z.strictObject({
      node: hex64,
      kind: z.string().min(1),
      basis: z.enum(["signed", "observed"]),
      partition: partition.optional(),
      detail: z.string().min(1),
    }),
  ),
  warnings: z.array(z.string()),
  damage: z.array(z.strictObject({ file: z.string().min(1), problem: z.string().min(1) })),
  durationMs: count,
};

export const successSchema = z.strictObject({
  ...fields,
  ok: z.literal(true),
  exitCode: z.literal(0),
  timestamp: count,
  cycle: count,
  networkHash: hex64,
  digest: hex64,
  directory: z.string().startsWith("/"),
});

export const failureSchema = z.strictObject({
  ...fields,
  ok: z.literal(false),
  exitCode: z.int().min(1),
  timestamp: count.nullable(),
  cycle: count.nullable(),
  networkHash: hex64.nullable(),
  digest: z.null(),
  directory: z.null(),
  error: z.strictObject({
    code: z.string().min(1),
    message: z.string().min(1),
    details: z.array(z.string()),
    hint: z.string(),
  }),
});
