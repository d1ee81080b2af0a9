/** `GET /snapshot-cycles`: what a validator needs to know before it fetches its accounts. */

import type { FastifyInstance } from "fastify";
import { CYCLES_FILE, parseCycleRecords } from "../../format/evidence/cycles.ts";
import { fileBytesMax } from "../../format/file-bounds.ts";
import { HttpError } from "../../http-server/http-error.ts";
import { serveCycleRecordsMax } from "../../limits/serve.ts";
import { parseJson } from "../../wire/parse.ts";
import type { ServedSnapshot } from "../served-snapshot.ts";
import type { SigningKey } from "../signing-key.ts";
import type { SnapshotSet } from "../snapshot-set.ts";

export interface CycleRoutesOptions {
  readonly snapshots: SnapshotSet;
  readonly key: SigningKey;
}

export function cycleRoutes(app: FastifyInstance, { snapshots, key }: CycleRoutesOptions): void {
  /** The answer about each snapshot: it is always the same. */
  const answers = new Map<ServedSnapshot, Promise<string>>();
  app.get("/snapshot-cycles", async (request, reply) => {
    const { timestamp } = request.query as Readonly<Record<string, unknown>>;
    if (typeof timestamp !== "string" || !/^\d{1,16}$/.test(timestamp))
      throw new HttpError(400, "timestamp: not a whole number of milliseconds");
    const snapshot = snapshots.at(Number(timestamp));
    snapshot.requireIntact();
    const answer = answers.get(snapshot) ?? answerOf(snapshot, key);
    answers.set(snapshot, answer);
    answer.catch(() => answers.delete(snapshot));
    return await reply.type("application/json").send(await answer);
  });
}

async function answerOf(snapshot: ServedSnapshot, key: SigningKey): Promise<string> {
  const { timestamp, cycle, numPartitions, agreed } = snapshot.facts;
  const about = {
    snapshotCycle: cycle,
    timestamp,
    numPartitions,
    networkHash: agreed.networkHash,
    partitionHashes: Object.fromEntries(agreed.partitions),
    cycleInfo: await cycleRecordsOf(snapshot),
  };
  return JSON.stringify(key.sign(about, agreed.hashKey));
}

/** Returns the records of the evidence, as received: that of the cycle after the snapshot's first, and then older ones. */
async function cycleRecordsOf(snapshot: ServedSnapshot): Promise<readonly unknown[]> {
  const { cycle, numPartitions } = snapshot.facts;
  const bytes = await snapshot.file(CYCLES_FILE).readWhole(fileBytesMax(CYCLES_FILE, numPartitions));
  const { records } = parseCycleRecords(parseJson(bytes.toString("utf8"), CYCLES_FILE), CYCLES_FILE);
  const wanted = new Map(
    records.filter(({ counter }) => counter <= cycle + 1).map(({ counter, received }) => [counter, received]),
  );
  return [...wanted]
    .sort(([a], [b]) => b - a)
    .slice(0, serveCycleRecordsMax)
    .map(([, received]) => received);
}
