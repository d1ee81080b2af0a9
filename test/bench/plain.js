/** The plain way, as the network's own code goes about it: everything whole in memory, one step after another. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalTextOf } from "../../dist/protocol/crypto/canonical-text.js";
import { hashText } from "../../dist/protocol/crypto/hash.js";
import { makeShard, partitionOf } from "../../dist/protocol/shard.js";

/**
 * It runs in a process that is warm, and does not sync what it writes: both are in its favour.
 *
 * @param answers requests as `{url, body}`, which together give all partitions
 */
export async function plainAssemble(answers, numNodes, directory) {
  const accounts = new Map();
  for (const { url, body } of answers) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    const { snapshot } = JSON.parse(await response.text());
    for (const account of snapshot) accounts.set(account.accountId, account);
  }
  const shard = makeShard({ numNodes });
  const partitions = new Map();
  for (const { accountId, data, stateId, timestamp, syncData } of accounts.values()) {
    const isGlobal = syncData?.isGlobal === true ? 1 : 0;
    const partition = isGlobal ? -1 : partitionOf(shard, accountId);
    const copy = { accountId, data: canonicalTextOf(data), hash: stateId, isGlobal, timestamp };
    const members = partitions.get(partition);
    if (members === undefined) partitions.set(partition, [copy]);
    else members.push(copy);
  }
  await mkdir(directory, { recursive: true });
  for (const [partition, members] of partitions) {
    members.sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
    const text = canonicalTextOf(members);
    hashText(text);
    await writeFile(join(directory, `${partition}.json`), text);
  }
}
