/** `GET /healthz` and `GET /metrics`. Both compare the files with what was verified. */

import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { serveHealthWaitMs, serveRetryAfterSeconds } from "../../limits/serve.ts";
import type { ServerMetrics } from "../metrics.ts";
import type { ServedSnapshot } from "../served-snapshot.ts";
import type { SnapshotSet } from "../snapshot-set.ts";

export interface StatusRoutesOptions {
  readonly snapshots: SnapshotSet;
  readonly metrics: ServerMetrics;
}

export function statusRoutes(app: FastifyInstance, { snapshots, metrics }: StatusRoutesOptions): void {
  app.get("/healthz", async (_, reply) => {
    await checked(snapshots);
    const all = snapshots.all.map(stateOf);
    const ok = all.every(({ state }) => state === "verified");
    if (!ok) reply.code(503).header("Retry-After", String(serveRetryAfterSeconds));
    return await reply.send({ ok, snapshots: all });
  });
  app.get("/metrics", async (_, reply) => {
    await checked(snapshots);
    return await reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

/** Resolves when the files have been compared, or after a moment: to hash large files takes longer. */
async function checked(snapshots: SnapshotSet): Promise<void> {
  await Promise.race([snapshots.check(), sleep(serveHealthWaitMs, undefined, { ref: false })]);
}

function stateOf(snapshot: ServedSnapshot) {
  const { name, problem, isChecking } = snapshot;
  if (problem !== undefined) return { name, state: "changed", problem } as const;
  return { name, state: isChecking ? "checking" : "verified", problem: null } as const;
}
