/** Makes the record of a run (FORMAT.md, run.json). */

import type { AgreedHashes } from "../../agreement/agreed-hashes.ts";
import { sourcesOf } from "../../events/run-state.ts";
import type { RunRecord } from "../../format/run-record.ts";
import type { Run } from "./assembly-run.ts";
import { packageVersion } from "./package-version.ts";

export function makeRunRecord({ settings, startedAt, log }: Run, agreed: AgreedHashes): RunRecord {
  const { queries, offences, warnings, bytes, durationMs } = log.summary();
  const sources = sourcesOf(log.state);
  // The other settings may have secrets.
  const { order, concurrency } = settings.fetching;
  return {
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    durationMs,
    bytes,
    versions: { "snapshot-assemble": packageVersion(), node: process.version },
    settings: { quorum: settings.agreement.quorum, order, concurrency },
    partitions: [...agreed.agreements]
      .sort(([a], [b]) => a - b)
      .map(([partition, { votesFor, votesAgainst, outOf }]) => ({
        partition,
        source: sources.get(partition),
        votesFor,
        votesAgainst,
        outOf,
      })),
    queries,
    offences,
    warnings,
  };
}
