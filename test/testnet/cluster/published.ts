/**
 * The expected hashes of a fixture's snapshot, computed from FORMAT.md without code of the assembler: the values of
 * `expect` in `fixtures/`.
 */

import { DEFAULT_HASH_KEY, hashText } from "../../../src/protocol/crypto/hash.ts";
import { networkHash } from "../../../src/protocol/partition-hash.ts";
import type { Fixture } from "../../../src/testnet/cluster/fixture.ts";
import { hashesOf, makeNetwork } from "../../../src/testnet/cluster/network.ts";

export interface Published {
  readonly networkHash: string;
  /** The hash of the bytes of export-data.jsonl. */
  readonly digest: string;
}

export async function published(fixture: Fixture): Promise<Published> {
  const network = makeNetwork(fixture);
  const hashes = await hashesOf(network);
  const entries: [string, string][] = [
    ["format.version", "1"],
    ["snapshot.timestamp", String(network.snapshotTimestamp)],
    ["snapshot.cycle", String(fixture.snapshotCycle)],
    ["hash.key", DEFAULT_HASH_KEY],
    ["network.hash", networkHash(hashes)],
    ...[...hashes].map(([partition, hash]): [string, string] => [`partition.${partition}`, hash]),
  ];
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const exportData = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  return { networkHash: networkHash(hashes), digest: hashText(exportData) };
}
