/** The fault `break-half` from the view of a client that keeps the accounts before the end of a connection. */

import { describe, expect, it } from "vitest";
import type { WrappedData } from "../../../src/protocol/account-copy.ts";
import type { Cluster } from "../../../src/testnet/cluster/cluster.ts";
import { postSnapshot, snapshotOf, withCluster } from "./small-cluster.ts";

const longBytesMin = 64 * 1024;

/** Node 0 has 64 accounts of about 5 KB. */
const large = { accountBytes: 5000 };

interface Received {
  readonly text: string;
  readonly isWhole: boolean;
}

async function receive(cluster: Cluster, index: number, fields: object = {}): Promise<Received> {
  const response = await postSnapshot(cluster, index, fields);
  const chunks: Uint8Array[] = [];
  let isWhole = true;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  } catch {
    isWhole = false;
  }
  return { text: Buffer.concat(chunks).toString(), isWhole };
}

/** The accounts before the one in which a text ends. */
function accountsBeforeCut(text: string): WrappedData[] {
  const { snapshot } = JSON.parse(`${text.slice(0, text.lastIndexOf(',{"accountId"'))}]}`);
  return snapshot as WrappedData[];
}

function accountAfter(accountId: string): string {
  return (BigInt(`0x${accountId}`) + 1n).toString(16).padStart(64, "0");
}

describe("a validator that breaks off long responses", () => {
  it("sends half of each, cut within an account, and always all of that half", async () => {
    await withCluster({ ...large, faults: ["0:break-half"] }, async (cluster) => {
      const honest = JSON.stringify({ snapshot: await honestAccounts() });
      const texts = new Set<string>();
      for (let request = 0; request < 5; request++) {
        const { text, isWhole } = await receive(cluster, 0);
        expect(isWhole).toBe(false);
        texts.add(text);
      }
      const [text = ""] = texts;
      expect(texts.size).toBe(1);
      expect(honest.startsWith(text)).toBe(true);
      expect(text.length).toBeGreaterThan(honest.length * 0.3);
      expect(text.length).toBeLessThan(honest.length * 0.7);
      expect(accountsBeforeCut(text)).toEqual((await honestAccounts()).slice(0, 32));
    });
  });

  it("sends everything to a client that continues after its last account", async () => {
    await withCluster({ ...large, faults: ["0:break-half"] }, async (cluster) => {
      const accounts: WrappedData[] = [];
      let bytes = 0;
      for (let accountStart = "0".repeat(64); ; ) {
        const { text, isWhole } = await receive(cluster, 0, { accountStart });
        bytes += text.length;
        if (isWhole) {
          expect(text.length).toBeLessThanOrEqual(longBytesMin);
          accounts.push(...JSON.parse(text).snapshot);
          break;
        }
        const received = accountsBeforeCut(text);
        expect(received.length).toBeGreaterThan(0);
        accounts.push(...received);
        accountStart = accountAfter(accounts.at(-1)?.accountId ?? "");
      }
      const honest = await honestAccounts();
      expect(accounts).toEqual(honest);
      expect(bytes).toBeLessThan(JSON.stringify(honest).length * 1.2);
    });
  });

  it("does so as often as its parameter says, and does not count short responses", async () => {
    await withCluster({ ...large, faults: ["0:break-half=2"] }, async (cluster) => {
      const short = { isGlobal: true };
      const seen: boolean[] = [];
      for (const fields of [short, {}, short, {}, {}]) {
        seen.push((await receive(cluster, 0, fields)).isWhole);
      }
      expect(seen).toEqual([true, false, true, false, true]);
      expect(await snapshotOf(cluster, 0)).toEqual(await honestAccounts());
    });
  });
});

async function honestAccounts(): Promise<WrappedData[]> {
  return await withCluster(large, (cluster) => snapshotOf(cluster, 0));
}
