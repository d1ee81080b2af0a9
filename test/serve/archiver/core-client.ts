/**
 * A restarting validator as the network's own code reads accounts from an archiver (core 2.15.8,
 * `src/state-manager/ArchiverSyncTracker.ts`, `syncAccountData2`).
 */

/** An account of a response. */
export interface ReceivedAccount {
  readonly accountId: string;
  readonly stateId: string;
  readonly data: unknown;
  readonly timestamp: number;
}

export interface AccountData {
  readonly wrappedAccounts: readonly ReceivedAccount[];
  readonly wrappedAccounts2: readonly ReceivedAccount[];
  readonly lastUpdateNeeded: boolean;
}

export interface RangeRequest {
  readonly accountStart: string;
  readonly accountEnd: string;
  readonly tsStart: number;
  readonly maxRecords: number;
  readonly offset: number;
  readonly accountOffset: string;
}

/** The accounts that core requests at once (`stateManager.accountBucketSize`). */
export const accountBucketSize = 200;

export interface ClientOptions {
  readonly maxRecords?: number;
  /** core's `stateManager.syncWithAccountOffset`. */
  readonly withAccountOffset?: boolean;
}

export interface Received {
  /** All accounts of all pages, in the order of their arrival. */
  readonly accounts: readonly ReceivedAccount[];
  readonly pages: number;
}

/** More pages than any test needs: a client that makes no progress is stopped. */
const pagesMax = 20_000;

/** Reads a range until the server says that there is no more. */
export async function syncRange(
  range: Pick<RangeRequest, "accountStart" | "accountEnd">,
  ask: (request: RangeRequest) => Promise<AccountData>,
  { maxRecords = accountBucketSize, withAccountOffset = true }: ClientOptions = {},
): Promise<Received> {
  const accounts: ReceivedAccount[] = [];
  let tsStart = 0;
  /** The last timestamp that was seen. It is not raised with `tsStart` after a short page. */
  let lastTimestamp = 0;
  let offset = 0;
  let accountOffset = "";
  let stopsWithoutResults = false;
  for (let pages = 1; pages <= pagesMax; pages++) {
    const { accountStart, accountEnd } = range;
    const page = await ask({ accountStart, accountEnd, tsStart, maxRecords, offset, accountOffset });
    const received = page.wrappedAccounts;
    const before = lastTimestamp;
    const newest = received.at(-1)?.timestamp ?? 0;
    if (newest > lastTimestamp) {
      lastTimestamp = newest;
      tsStart = newest;
    }
    offset = lastTimestamp === before ? offset + repeatsOfLast(received) : 0;
    if (received.length < maxRecords) {
      tsStart++;
      offset = 0;
    }
    accountOffset = withAccountOffset && offset > 0 ? (received.at(-1)?.accountId ?? "") : "";
    accounts.push(...received, ...page.wrappedAccounts2);
    if (page.lastUpdateNeeded) return { accounts, pages };
    if (received.length > 0) stopsWithoutResults = false;
    else if (stopsWithoutResults) return { accounts, pages };
    else {
      tsStart++;
      stopsWithoutResults = true;
    }
  }
  throw new Error(`the client requested ${pagesMax} pages`);
}

/** Returns the number of accounts that have the same timestamp as the one before, at the end of a page. */
function repeatsOfLast(accounts: readonly ReceivedAccount[]): number {
  let repeats = 0;
  let timestamp = -1;
  for (const account of accounts) {
    repeats = account.timestamp === timestamp ? repeats + 1 : 0;
    timestamp = account.timestamp;
  }
  return repeats;
}
