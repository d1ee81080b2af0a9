/**
 * Where a new validator takes its first state from. From there on it follows the transaction log, until it has the state
 * of the network. The sources are the genesis state and servers of a snapshot (`state-sync/served-source.ts`).
 */

import type { WrappedData } from "../../../protocol/account-copy.ts";
import type { NodeSpan } from "../membership/membership.ts";
import { beginning, type Progress } from "./progress.ts";

/** The state of the whole network at one position of the transaction log. */
export interface FirstState {
  /** The position at which the validator continues. */
  readonly progress: Progress;
  /** The nodes that the log states before that position. */
  readonly nodes: readonly NodeSpan[];
  /** All accounts, in any order. */
  readonly accounts: Iterable<WrappedData> | AsyncIterable<WrappedData>;
}

/** Called once, by a validator without a state. A validator that dies before it has read everything calls it again. */
export type StateSource = () => Promise<FirstState>;

/** The genesis state: the validator replays the log from its beginning. */
export function genesisSource(accounts: () => Iterable<WrappedData>): StateSource {
  return () => Promise.resolve({ progress: beginning, nodes: [], accounts: accounts() });
}
