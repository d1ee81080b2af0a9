/** What happened in a run so far: the figures of its summary, and the source of all its events. */

import { basisOf, dependsOnSharding, type ReportedOffence } from "../errors/offence.ts";
import { findingsMax, offencesPerNodeMax } from "../limits/limits.ts";
import { messageLine } from "../text/printable.ts";
import type {
  DamagedFile,
  Offence,
  PartitionSource,
  Progress,
  QueryRecord,
  Reporter,
  RunSummary,
} from "./assemble-events.ts";
import type { SyncEvent } from "./sync-events.ts";

export class RunLog {
  timestamp: number | null = null;
  cycle: number | null = null;
  networkHash: string | null = null;
  digest: string | null = null;
  directory: string | null = null;
  partitionsTotal = 0;
  /** Nobody is blamed for what depends on settings that nothing proves. */
  areSettingsProved = true;
  readonly #reporter: Reporter | undefined;
  readonly #startedMs = performance.now();
  readonly #queries: QueryRecord[] = [];
  readonly #offences: ReportedOffence[] = [];
  readonly #offencesOf = new Map<string, number>();
  readonly #warnings: string[] = [];
  #damage: readonly DamagedFile[] = [];
  /** Partition → the node that gave it, or how else it was had. */
  readonly sources = new Map<number, PartitionSource>();
  #accounts = 0;
  #stateBytes = 0;
  #bytesReceived = 0;

  constructor(reporter: Reporter | undefined) {
    this.#reporter = reporter;
  }

  get accounts(): number {
    return this.#accounts;
  }

  get stateBytes(): number {
    return this.#stateBytes;
  }

  get offences(): readonly ReportedOffence[] {
    return this.#offences;
  }

  stage(message: string): void {
    this.#reporter?.report({ type: "stage", message: messageLine(message) });
  }

  warn(message: string): void {
    const shown = messageLine(message);
    this.#warnings.push(shown);
    this.#reporter?.report({ type: "warning", message: shown });
  }

  /** What is wrong with the snapshot that is published already. Its warning is the caller's. */
  damaged(files: readonly DamagedFile[]): void {
    this.#damage = [...this.#damage, ...files].slice(0, findingsMax);
  }

  /** What happened while partitions were fetched. */
  sync(event: SyncEvent): void {
    switch (event.type) {
      case "request":
        this.#reporter?.report({ type: "asked", node: event.node });
        break;
      case "received":
        this.#received(event.bytes);
        break;
      case "response": {
        const { type: _, status, ...query } = event;
        this.#query(status === undefined ? query : { ...query, status });
        break;
      }
      case "verified":
        this.verified(event.partition, event, { kind: "node", id: event.node });
        break;
      case "offence":
        this.offence(event.offence);
        break;
      case "mismatched":
        break;
    }
  }

  /** Beyond its bound, a node's offences are no longer written down. */
  offence(offence: Offence): void {
    if (!this.areSettingsProved && dependsOnSharding(offence.kind)) return;
    const count = (this.#offencesOf.get(offence.node) ?? 0) + 1;
    this.#offencesOf.set(offence.node, count);
    if (count > offencesPerNodeMax) return;
    const reported = { ...offence, detail: messageLine(offence.detail), basis: basisOf(offence.kind) };
    this.#offences.push(reported);
    this.#reporter?.report({ type: "offence", offence: reported });
  }

  #query(query: QueryRecord): void {
    this.#queries.push(query);
    this.#reporter?.report({ type: "query", query });
  }

  #received(bytes: number): void {
    this.#bytesReceived += bytes;
    this.#reporter?.report({ type: "progress", progress: this.#progress() });
  }

  verified(partition: number, size: { accounts: number; bytes: number }, source: PartitionSource): void {
    this.allVerified([partition], size, source);
  }

  /** Begins with a boundary: what was done for another one does not count. */
  begin(timestamp: number, cycle: number, partitions: number): void {
    this.timestamp = timestamp;
    this.cycle = cycle;
    this.partitionsTotal = partitions;
    this.networkHash = null;
    this.#damage = [];
    this.sources.clear();
    this.#accounts = 0;
    this.#stateBytes = 0;
  }

  /** All at once, from one source. */
  allVerified(
    partitions: Iterable<number>,
    size: { accounts: number; bytes: number },
    source: PartitionSource,
  ): void {
    for (const partition of partitions) this.sources.set(partition, source);
    this.#accounts += size.accounts;
    this.#stateBytes += size.bytes;
    this.#reporter?.report({ type: "progress", progress: this.#progress() });
  }

  summary(): RunSummary {
    return {
      timestamp: this.timestamp,
      cycle: this.cycle,
      networkHash: this.networkHash,
      digest: this.digest,
      directory: this.directory,
      ...this.#progress(),
      stateBytes: this.#stateBytes,
      queries: this.#queries,
      offences: this.#offences,
      warnings: this.#warnings,
      damage: this.#damage,
      durationMs: Math.round(performance.now() - this.#startedMs),
    };
  }

  #progress(): Progress {
    return {
      partitions: { total: this.partitionsTotal, verified: this.sources.size },
      accounts: this.#accounts,
      bytesReceived: this.#bytesReceived,
    };
  }
}
