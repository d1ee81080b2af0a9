/** The outcome of a response on the fast path and on the slow path, for comparison. */

import { accountIdAt, type CopyRun } from "../../src/canonical/copy-run.ts";
import { RecordFramer } from "../../src/canonical/record-framer.ts";
import { ResponseReader } from "../../src/canonical/response-reader.ts";
import { slowPathCopy } from "../../src/canonical/slow-path.ts";
import type { Shard } from "../../src/protocol/shard.ts";

export interface Outcome {
  /** The copies in the order of the response; consecutive copies of one partition are joined. */
  readonly copies: string[];
  /** What ended it, as text. */
  readonly error: string | undefined;
}

export function readFast(chunks: Iterable<Buffer>, shard: Shard): Outcome {
  const reader = new ResponseReader(shard);
  const outcome = joined(function* () {
    for (const chunk of chunks) {
      const reused = Buffer.from(chunk);
      for (const run of reader.read(reused)) yield checked(run);
      reused.fill("!");
    }
    for (const run of reader.rest()) yield checked(run);
    reader.end();
  });
  reader.close();
  return outcome;
}

export function readSlow(chunks: Iterable<Buffer>, shard: Shard): Outcome {
  const framer = new RecordFramer("snapshot");
  return joined(function* () {
    for (const chunk of chunks) {
      for (const record of framer.push(chunk)) yield slowPathCopy(record, shard);
    }
    framer.end();
  });
}

function joined(runs: () => Iterable<CopyRun>): Outcome {
  const copies: string[] = [];
  let partition: number | undefined;
  let error: string | undefined;
  try {
    for (const run of runs()) {
      const text = run.bytes.toString("latin1");
      if (run.partition === partition) copies.push(`${copies.pop()},${text}`);
      else copies.push(`${run.partition}: ${text}`);
      partition = run.partition;
    }
  } catch (thrown) {
    const { name, message, kind } = thrown as Error & { kind?: string };
    error = `${name} ${kind}: ${message}`;
  }
  return { copies, error };
}

/** Throws if the fields of a run contradict its bytes. */
function checked(run: CopyRun): CopyRun {
  const copies = JSON.parse(`[${run.bytes}]`) as { accountId: string }[];
  const ids = copies.map(({ accountId }) => accountId);
  const isSorted = ids.every((id, index) => index === 0 || (ids[index - 1] as string) < id);
  const first = JSON.parse(run.bytes.toString("utf8", 0, run.firstEnd)) as { accountId: string };
  const last = JSON.parse(run.bytes.toString("utf8", run.lastStart)) as { accountId: string };
  const isRight =
    ids.length === run.count &&
    isSorted &&
    first.accountId === ids[0] &&
    last.accountId === ids.at(-1) &&
    accountIdAt(run.bytes, run.lastStart) === ids.at(-1);
  if (!isRight) throw new Error(`a run of ${run.count} copies contradicts its bytes: ${run.bytes}`);
  return run;
}
