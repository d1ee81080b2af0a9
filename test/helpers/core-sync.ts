/**
 * How a validator of core 2.15.8 reads its accounts from an archiver after a restart: the requests and the rules of
 * `src/state-manager/ArchiverSyncTracker.ts` (`syncAccountData2`, `syncStateDataGlobals`), without its waits.
 */

import { signed } from "../../src/protocol/crypto/signature.ts";
import type { Identity } from "../../src/testnet/validator/identity.ts";
import { type AccountData, type ReceivedAccount, syncRange } from "../serve/archiver/core-client.ts";

export interface AddressRange {
  readonly accountStart: string;
  readonly accountEnd: string;
}

export const wholeRange: AddressRange = { accountStart: "0".repeat(64), accountEnd: "f".repeat(64) };

/** core's `p2p.maxResponseSize`. */
const responseBytesMax = 15 * 2 ** 20;
const globalTriesMax = 20;

export class CoreSync {
  readonly #url: string;
  readonly #identity: Identity;

  /** @param url of an archiver, or of what answers in its place */
  constructor(url: string, identity: Identity) {
    this.#url = url;
    this.#identity = identity;
  }

  /** Returns the accounts of a range in the order in which they came; some may have come twice. */
  async accounts(range: AddressRange): Promise<readonly ReceivedAccount[]> {
    const { accounts } = await syncRange(range, async (request) => {
      const answer = await this.post("get_account_data_archiver", request);
      if (answer["success"] !== true) throw new Error(String(answer["error"]));
      return answer["data"] as AccountData;
    });
    return accounts;
  }

  /** @throws Error if the archiver does not answer all of them */
  async globalAccounts(): Promise<ReceivedAccount[]> {
    const { accounts } = (await this.post("get_globalaccountreport_archiver", {})) as unknown as {
      accounts: readonly { readonly id: string; readonly hash: string }[];
    };
    const byId = new Map<string, ReceivedAccount>();
    for (let tries = 0; tries < globalTriesMax; tries++) {
      const missing = accounts.filter(({ id, hash }) => byId.get(id)?.stateId !== hash);
      if (missing.length === 0) return [...byId.values()];
      const request = { accountIds: missing.map(({ id }) => id) };
      const answer = await this.post("get_account_data_by_list_archiver", request);
      for (const account of (answer["accountData"] ?? []) as ReceivedAccount[])
        byId.set(account.accountId, account);
    }
    throw new Error("setting global data falied. max tries exceeded");
  }

  /** Sends a signed request. */
  async post(route: string, request: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.#url}/${route}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(signed(request, this.#identity.privateKey)),
    });
    const text = await response.text();
    if (text.length > responseBytesMax) throw new Error(`a response of ${text.length} bytes`);
    return JSON.parse(text);
  }
}
