/**
 * The baseline implementation of an assembly: it holds all responses in memory, and takes one step after another, as
 * the network's own code does.
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WrappedData } from "../../dist/protocol/account-copy.js";
import { canonicalTextOf } from "../../dist/protocol/crypto/canonical-text.js";
import { hashText } from "../../dist/protocol/crypto/hash.js";
import { makeShard, partitionOf } from "../../dist/protocol/shard.js";
import type { SnapshotQuery } from "./static-network-process.ts";

interface Copy {
  readonly accountId: string;
  readonly data: string;
  readonly hash: string;
  readonly isGlobal: 0 | 1;
  readonly timestamp: number;
}

/**
 * Assembles the snapshot of a network. The process is warm, and does not sync its files: both favour this baseline.
 *
 * @param queries requests that together cover all partitions
 */
export async function plainAssemble(
  queries: readonly SnapshotQuery[],
  numNodes: number,
  directory: string,
): Promise<void> {
  const accounts = new Map<string, WrappedData>();
  for (const { url, body } of queries) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    const { snapshot }: { snapshot: WrappedData[] } = JSON.parse(await response.text());
    for (const account of snapshot) accounts.set(account.accountId, account);
  }
  const shard = makeShard({ numNodes });
  const partitions = new Map<number, Copy[]>();
  for (const { accountId, data, stateId, timestamp, syncData } of accounts.values()) {
    const isGlobal = syncData?.isGlobal === true ? 1 : 0;
    const partition = isGlobal ? -1 : partitionOf(shard, accountId);
    const copy: Copy = { accountId, data: canonicalTextOf(data), hash: stateId, isGlobal, timestamp };
    const copies = partitions.get(partition);
    if (copies === undefined) partitions.set(partition, [copy]);
    else copies.push(copy);
  }
  await mkdir(directory, { recursive: true });
  for (const [partition, copies] of partitions) {
    copies.sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
    const text = canonicalTextOf(copies);
    hashText(text);
    await writeFile(join(directory, `${partition}.json`), text);
  }
}
