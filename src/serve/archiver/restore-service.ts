/** Answers restarting validators with the accounts of one snapshot, in front of an archiver. */

import { validatorsServed } from "../../limits/serve-archiver.ts";
import { AccountIndex } from "../index/account-index.ts";
import type { IndexedSnapshot } from "../index/build-index.ts";
import { CopyReader } from "../index/copy-reader.ts";
import type { ServedSnapshot } from "../served-snapshot.ts";
import type { SigningKey } from "../signing-key.ts";
import type { SnapshotServer } from "../snapshot-server.ts";
import type { NetworkState } from "../upstream/network-state.ts";
import { AccountPages } from "./account-pages.ts";
import { archiverRoutes } from "./archiver-routes.ts";
import { Bandwidth } from "./page-turns.ts";
import { ServedValidators } from "./served-validators.ts";
import { ValidatorLog } from "./validator-log.ts";

export interface RestoreServiceOptions {
  readonly snapshot: ServedSnapshot;
  /** The path of the snapshot's index, which was checked. */
  readonly index: string;
  readonly network: NetworkState;
  readonly key: SigningKey;
  readonly maxValidators?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
  /** Called with a line for each range that a validator received. */
  readonly log: (line: string) => void;
  readonly warn: (message: string) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Returns what the index of a snapshot is made of. */
export function indexedSnapshot({ facts, artifacts }: ServedSnapshot): IndexedSnapshot {
  const { hashKey, partitions } = facts.agreed;
  return {
    digest: facts.digest,
    hashKey,
    artifacts: artifacts.map(({ partition, file: { path } }) => ({
      path,
      hash: partitions.get(partition) ?? "",
    })),
  };
}

export class RestoreService {
  readonly #index: AccountIndex;
  readonly #reader: CopyReader;
  readonly #options: RestoreServiceOptions;

  /** @throws SnapshotError `disk` if the index cannot be read */
  constructor(options: RestoreServiceOptions) {
    const { snapshot, index } = options;
    this.#options = options;
    this.#index = AccountIndex.open(index);
    const files = snapshot.artifacts.map(({ file }) => file);
    this.#reader = new CopyReader(this.#index, files, snapshot.facts.agreed.hashKey);
  }

  /** The newest timestamp of an account, in milliseconds. */
  get newest(): number {
    return this.#index.newest;
  }

  /** Adds the routes. */
  register(server: SnapshotServer): void {
    const { snapshot, network, key, maxValidators, bytesPerSecond, log, warn } = this.#options;
    const { now = Date.now } = this.#options;
    const { hashKey } = snapshot.facts.agreed;
    server.register(archiverRoutes, {
      pages: new AccountPages(this.#index, this.#reader, { key, hashKey }),
      requireIntact: () => snapshot.requireIntact(),
      ...{ hashKey, network, warn, now },
      validators: new ServedValidators(maxValidators ?? validatorsServed),
      bandwidth: new Bandwidth(bytesPerSecond),
      log: new ValidatorLog(log),
    });
  }

  async close(): Promise<void> {
    await this.#reader.close();
    this.#index.close();
  }
}
