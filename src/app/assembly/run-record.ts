/** What `run.json` says of a run (FORMAT.md): everything that another archiver's run need not have in common. */

import { readFileSync } from "node:fs";
import type { AgreedHashes } from "../../agreement/agreed-hashes.ts";
import type { RunLog } from "../../events/run-log.ts";
import type { RunRecord } from "../../format/run-record.ts";
import { type AssembleOptions, defaults } from "./options.ts";

export interface RunFacts {
  readonly startedAt: Date;
  readonly agreed: AgreedHashes;
  readonly options: AssembleOptions;
  readonly log: RunLog;
}

export function makeRunRecord({ startedAt, agreed, options, log }: RunFacts): RunRecord {
  const { queries, offences, warnings, bytesReceived, durationMs } = log.summary();
  return {
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    durationMs,
    bytesReceived,
    versions: { "snapshot-assemble": packageVersion(), node: process.version },
    settings: {
      quorum: options.quorum ?? defaults.quorum,
      order: options.order ?? defaults.order,
      concurrency: options.concurrency ?? defaults.concurrency,
    },
    partitions: [...agreed.agreements]
      .sort(([a], [b]) => a - b)
      .map(([partition, { votesFor, votesAgainst, outOf }]) => ({
        partition,
        source: log.sources.get(partition),
        votesFor,
        votesAgainst,
        outOf,
      })),
    queries,
    offences,
    warnings,
  };
}

/** The version of this package, from the file that says it. */
export function packageVersion(): string {
  const file = new URL("../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
