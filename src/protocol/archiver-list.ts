/** The archivers of a network (PROTOCOL.md, Cycle records): those that a restarted network asks. */

import { type HashHex, isHashHex, type PublicKey } from "./brands.ts";
import { canonicalTextOf } from "./crypto/canonical-text.ts";
import { curve25519Key } from "./crypto/curve25519-key.ts";
import { hashText } from "./crypto/hash.ts";
import type { CycleRecord } from "./cycle-record.ts";

export interface ListedArchiver {
  readonly ip: string;
  readonly port: number;
  readonly publicKey: PublicKey;
}

/**
 * Returns the hash of a list of archivers as cycle records have it: validators keep the key with which an archiver
 * encrypts beside its public key, and sort by the latter (core 2.15.8, `src/p2p/Archivers.ts`,
 * `computeNewArchiverListHash`).
 */
export function archiverListHash(archivers: readonly ListedArchiver[], hashKey: string): HashHex {
  const hashed = archivers.map(({ ip, port, publicKey }) => {
    return { ip, port, publicKey, curvePk: curve25519Key(publicKey) };
  });
  hashed.sort((a, b) => (a.publicKey < b.publicKey ? -1 : 1));
  return hashText(canonicalTextOf(hashed), hashKey);
}

/**
 * Returns the hash of the list of archivers before the changes of a record, so that the record of cycle c+1 has that of
 * cycle c; `undefined` if the record has none.
 */
export function archiverListHashOf({ received }: CycleRecord): HashHex | undefined {
  const { archiverListHash: hash } = received;
  return isHashHex(hash) ? hash : undefined;
}
