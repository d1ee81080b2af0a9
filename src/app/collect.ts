/** Collects the gossip of a network into a hash database, without a terminal. */

import { CollectorService } from "../collect/collector-service.ts";
import { type CollectOptions, collectChecks } from "../collect/options.ts";
import { RepeatedWarnings } from "../collect/repeated-warnings.ts";
import type { CollectStatus } from "../collect/status.ts";
import { requireOptions } from "../options/option-check.ts";
import { DEFAULT_HASH_KEY } from "../protocol/crypto/hash.ts";
import { HashDatabase } from "../store/hash-database/hash-database.ts";
import { openClients } from "../trust/node-addresses.ts";
import { HttpGossipSource } from "./gossip-source.ts";

/**
 * Collects until `options.signal` is aborted. After the start, a failure is reported and the work is retried.
 *
 * @throws SnapshotError if the collector cannot start: the lists cannot be read, the database belongs to another
 *   network, or the port is in use
 */
export async function collect(options: CollectOptions): Promise<CollectStatus> {
  requireOptions("collect", options, collectChecks);
  const { warn } = new RepeatedWarnings(options.reporter);
  const database = HashDatabase.open(options.database, { onSkipped: warn });
  const clients = openClients(options);
  try {
    const source = new HttpGossipSource(clients.nodes);
    const hashKey = options.hashKey ?? DEFAULT_HASH_KEY;
    return await new CollectorService(options, { database, clients, source, hashKey, warn }).run();
  } finally {
    await clients.close();
    database.close();
  }
}
