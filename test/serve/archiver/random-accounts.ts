/** Accounts that are hard to page, from a seed. */

import type { WrappedData } from "../../../src/protocol/account-copy.ts";
import { hashText } from "../../../src/protocol/crypto/hash.ts";
import { Random } from "../../../src/testnet/state/random.ts";

const oldest = 1_690_000_000_000;

export interface Crowd {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly accounts: number;
  /** Bytes of data of each account. */
  readonly bytes?: number;
}

/** Returns accounts whose timestamps have the given numbers of accounts. */
export function accountsOfCrowds(crowds: readonly Crowd[], seed = 1): WrappedData[] {
  const random = new Random(seed, 0, 0);
  return crowds.flatMap(({ timestamp, accounts, bytes = 0 }) =>
    Array.from({ length: accounts }, () => {
      const accountId = random.hex(8);
      const data = { note: "x".repeat(bytes), accountId };
      return { accountId, stateId: hashText(accountId), data, timestamp };
    }),
  );
}

/** Returns groups of accounts of one timestamp, of which one in ten has more than a page. */
export function randomCrowds(seed: number, groups: number): Crowd[] {
  const random = new Random(seed, groups, 0);
  return Array.from({ length: groups }, (_, group) => {
    const kind = random.below(10);
    const accounts =
      kind === 0 ? 1 + random.below(1_500) : kind < 3 ? 190 + random.below(25) : 1 + random.below(60);
    return { timestamp: oldest + group * (1 + random.below(3)), accounts };
  });
}
