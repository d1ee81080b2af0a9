/**
 * The witnesses in addition to the votes: the cycle chain, and the state metadata of the node that an archiver follows.
 * A witness can contradict the votes and cannot replace them.
 */

import type { AgreedHashes } from "../../agreement/agreed-hashes.ts";
import { FetchError } from "../../errors/fetch-error.ts";
import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import { readFileBounded } from "../../fetch/bounded-file.ts";
import { listBytesMax } from "../../limits/network.ts";
import type { Cycle, HashHex } from "../../protocol/brands.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";
import { shownUrl } from "../../text/shown-url.ts";
import { recordedNetworkHashes } from "../../trust/chain/cycle-chain.ts";
import { fetchWhole, type ListContext } from "../../trust/list-source.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import { parseStateMetadata, type StateHashes } from "../../wire/state-metadata.ts";

/**
 * Requires cycle records that can name a network hash. Networks with modes (`useNetworkModes`, as all present ones)
 * never write one, so a run would wait for it without end.
 *
 * @throws SnapshotError `configuration` if the newest record has no field for a network hash
 */
export function requireStateInChain(records: readonly CycleRecord[]): void {
  const newest = records.at(-1);
  if (newest === undefined || "networkDataHash" in newest.received) return;
  const problem = `--require-chain cannot be satisfied: cycle records of this network name no network hash (record ${newest.counter} has no networkDataHash)`;
  throw new SnapshotError("configuration", problem, {
    hint: "Leave out --require-chain. The signed votes prove the state of this network.",
  });
}

/**
 * @throws SnapshotError `verification` if a record names another network hash; `temporary` if no record names one and
 *   one is required
 */
export function requireChainAgrees(
  records: readonly CycleRecord[],
  cycle: Cycle,
  networkHash: HashHex,
  isRequired: boolean,
): void {
  const recorded = recordedNetworkHashes(records, cycle);
  const other = recorded.find((hash) => hash !== networkHash);
  if (other !== undefined) {
    const problem = `the cycle chain records the network hash ${other} for cycle ${cycle}, but the validators agreed on ${networkHash}`;
    throw new SnapshotError("verification", problem, {
      hint: "Either the archiver or most of the validators lie. Try another archiver and another source of gossip.",
    });
  }
  if (recorded.length > 0 || !isRequired) return;
  throw new SnapshotError("temporary", `no cycle record names the network hash of cycle ${cycle} yet`, {
    hint: "Run again some cycles later, or leave out --require-chain.",
  });
}

/**
 * @throws SnapshotError `verification` if the metadata disagree, `configuration` or `temporary` if they cannot be read
 */
export async function requireMetadataAgrees(
  source: string,
  cycle: Cycle,
  agreed: AgreedHashes,
  context: ListContext,
): Promise<void> {
  const shown = shownUrl(source);
  const statements = (await readMetadata(source, context)).filter((statement) => statement.cycle === cycle);
  if (statements.length === 0) context.warn(`${shown} states nothing about cycle ${cycle}`);
  for (const { networkHash, partitionHashes } of statements) {
    if (networkHash !== agreed.networkHash) {
      throw disagrees(shown, `the network hash is ${networkHash}, the agreed one is ${agreed.networkHash}`);
    }
    for (const [partition, hash] of partitionHashes) {
      const other = agreed.partitionHashes.get(partition);
      if (other !== hash)
        throw disagrees(shown, `partition ${partition} has the hash ${hash}, the agreed one is ${other}`);
    }
  }
}

async function readMetadata(source: string, { client, signal }: ListContext): Promise<StateHashes[]> {
  const isUrl = /^https?:\/\//i.test(source);
  const shown = shownUrl(source);
  try {
    const bytes = isUrl
      ? await fetchWhole(source, listBytesMax, { client, signal })
      : await readFileBounded(source, listBytesMax, signal);
    return parseStateMetadata(parseJson(bytes.toString("utf8"), shown), shown);
  } catch (error) {
    signal?.throwIfAborted();
    const isTemporary = error instanceof FetchError && error.kind !== "not-asked";
    const problem = error instanceof WireError ? error.message : `cannot read ${shown}: ${messageOf(error)}`;
    const isTls = error instanceof FetchError && error.kind === "tls";
    const code = isTls ? "usage" : isTemporary ? "temporary" : "configuration";
    throw new SnapshotError(code, problem, {
      cause: error,
      hint: "Correct --state-metadata, or leave it out: it is only an additional witness.",
    });
  }
}

function disagrees(source: string, problem: string): SnapshotError {
  return new SnapshotError(
    "verification",
    `the state metadata of ${source} contradict the votes: ${problem}`,
    {
      hint: "Find out whether the node behind the metadata or the nodes that voted are wrong, or leave out --state-metadata.",
    },
  );
}
