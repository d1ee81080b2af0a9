/** The options of the main job, and the settings with their defaults. */

import type { Quorum } from "../../agreement/vote-tally.ts";
import { SnapshotError } from "../../errors/snapshot-error.ts";
import type { Reporter } from "../../events/assemble-events.ts";
import type { Compression } from "../../format/artifact.ts";
import { assembleTable } from "../../options/assemble-table.ts";
import type { OptionChecks } from "../../options/option-check.ts";
import { checksOf } from "../../options/option-row.ts";
import { DEFAULT_HASH_KEY } from "../../protocol/crypto/hash-key.ts";
import { type SeedSource, seedSourcesOf } from "../../seed/seed-source.ts";
import type { OrderRule } from "../../sync/strategy/order-rule.ts";
import { type SnapshotTime, snapshotTimeOf } from "../../trust/chain/timestamp.ts";
import type { NetworkOptions } from "../../trust/network-options.ts";

export interface AssembleOptions extends NetworkOptions {
  /**
   * A text or number as for `--timestamp` (milliseconds, seconds, ISO 8601, `cycle:<n>`, `latest`), or a parsed time.
   */
  readonly timestamp: string | number | SnapshotTime;
  /** Refuses an older snapshot if `timestamp` is `latest`. Without it, a snapshot older than a day is a warning. */
  readonly maxAgeMs?: number | undefined;
  /** The directory in which snapshots are published. */
  readonly out: string;
  /** A file with gossip messages. */
  readonly gossip?: string | undefined;
  /** The file of a hash database. The run reads gossip from it, and adds what it learns. */
  readonly hashDb?: string | undefined;
  /** The URL of another archiver's snapshots, or of one of them. The run reads votes from their evidence. */
  readonly evidence?: string | undefined;
  readonly quorum?: Quorum | undefined;
  /** Whether a later cycle record must name the same network hash. */
  readonly requireChain?: boolean | undefined;
  /** A file or URL of state metadata, which must not contradict the votes. */
  readonly stateMetadata?: string | undefined;
  /** Whether every partition of the snapshot may be empty. */
  readonly allowEmpty?: boolean | undefined;
  /** The order of queries: Algorithm 1, or the fewest nodes. */
  readonly order?: OrderRule | undefined;
  /** The number of nodes that are queried at the same time. */
  readonly concurrency?: number | undefined;
  readonly compression?: Compression | undefined;
  /**
   * Older states, of which only what has changed since is fetched: `auto` for the snapshots in `out`, `none`, or the
   * directory of a snapshot. Several are tried, the newest first.
   */
  readonly seed?: readonly string[] | undefined;
  /** URLs of other archivers' snapshots, from which accounts are fetched that validators do not give. */
  readonly mirrors?: readonly string[] | undefined;
  /** Ends the run. Verified partitions are kept. */
  readonly signal?: AbortSignal | undefined;
  readonly reporter?: Reporter | undefined;
}

export const assembleChecks: OptionChecks<AssembleOptions> = checksOf(assembleTable);

/** The options with their defaults, by the step of the run that reads them. */
export interface AssembleSettings {
  readonly wanted: { readonly time: SnapshotTime; readonly maxAgeMs: number | undefined };
  readonly network: NetworkOptions;
  readonly hashKey: string;
  readonly agreement: AgreementSettings;
  /** The witnesses that must not contradict the votes. */
  readonly witnesses: { readonly requireChain: boolean; readonly stateMetadata: string | undefined };
  readonly fetching: FetchSettings;
  readonly output: { readonly out: string; readonly compression: Compression };
  readonly signal: AbortSignal | undefined;
}

export interface FetchSettings {
  readonly order: OrderRule;
  readonly concurrency: number;
  readonly seeds: readonly SeedSource[];
  /** URLs, secrets included. */
  readonly mirrors: readonly string[];
}

/** Which votes count, and their sources beside the validators. */
export interface AgreementSettings {
  readonly quorum: Quorum;
  readonly allowEmpty: boolean;
  /** A file with gossip messages. */
  readonly gossip: string | undefined;
  readonly hashDb: string | undefined;
  /** The URL of another archiver's snapshots, secrets included. */
  readonly evidence: string | undefined;
}

/**
 * Resolves the options of a run to its settings.
 *
 * @throws SnapshotError `usage`, `unaligned-timestamp`
 */
export function settingsOf(options: AssembleOptions): AssembleSettings {
  const { timestamp, maxAgeMs } = options;
  const time = snapshotTimeOf(timestamp);
  if (maxAgeMs !== undefined && time.kind !== "latest") {
    throw new SnapshotError(
      "usage",
      "--max-age is given without --timestamp latest: an explicit time has no limit of age",
      { hint: "Leave out --max-age, or give --timestamp latest." },
    );
  }
  const { archiver, archiverKey, nodes, cycles, hashKey = DEFAULT_HASH_KEY } = options;
  const { nodesPerConsensusGroup, nodesPerEdge, allowPrivate, connectTimeoutMs, stallTimeoutMs } = options;
  const sources = { archiver, archiverKey, nodes, cycles, hashKey };
  const limits = { nodesPerConsensusGroup, nodesPerEdge, allowPrivate, connectTimeoutMs, stallTimeoutMs };
  const { quorum, order, concurrency, compression, seed } = assembleTable;
  return {
    wanted: { time, maxAgeMs },
    network: { ...sources, ...limits },
    hashKey,
    agreement: {
      quorum: options.quorum ?? quorum.default,
      allowEmpty: options.allowEmpty ?? false,
      gossip: options.gossip,
      hashDb: options.hashDb,
      evidence: evidenceOf(options),
    },
    witnesses: { requireChain: options.requireChain ?? false, stateMetadata: options.stateMetadata },
    fetching: {
      order: options.order ?? order.default,
      concurrency: options.concurrency ?? concurrency.default,
      seeds: seedSourcesOf(options.seed ?? seed.default),
      mirrors: options.mirrors ?? [],
    },
    output: { out: options.out, compression: options.compression ?? compression.default },
    signal: options.signal,
  };
}

/**
 * Who names the validators must not supply their votes too: a list of invented validators would count invented votes. An
 * archiver whose key the user gives is trusted for its lists.
 */
function evidenceOf({ evidence, archiver, archiverKey, nodes }: AssembleOptions): string | undefined {
  const isListFromThere =
    evidence !== undefined &&
    archiver !== undefined &&
    URL.canParse(archiver) &&
    new URL(archiver).host === new URL(evidence).host;
  if (!isListFromThere || nodes !== undefined || archiverKey !== undefined) return evidence;
  throw new SnapshotError("usage", "--evidence and --archiver are the same server", {
    hint: "Give a node list from elsewhere: --nodes and --cycles, another --archiver, or the archiver's key with --archiver-key.",
  });
}
