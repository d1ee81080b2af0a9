/**
 * Witnesses beside the gossip: the cycle chain, and the state metadata of the node that an archiver follows. None of
 * them makes a quorum. They can only disagree.
 */

import type { AgreedHashes } from "../../agreement/agreed-hashes.ts";
import { FetchError } from "../../errors/fetch-error.ts";
import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import { readFileBounded } from "../../fetch/bounded-file.ts";
import { listBytesMax } from "../../limits/network.ts";
import type { CycleRecord } from "../../protocol/cycle-record.ts";
import { shownUrl } from "../../text/shown-url.ts";
import { recordedNetworkHashes } from "../../trust/chain/cycle-chain.ts";
import { fetchWhole, type ListContext } from "../../trust/list-source.ts";
import { parseJson, WireError } from "../../wire/parse.ts";
import { parseStateMetadata, type StateHashes } from "../../wire/state-metadata.ts";

/**
 * Requires records that can name a network hash. Those of networks with modes (`useNetworkModes`, as all of today) never
 * do, so that a run would wait in vain.
 *
 * @throws SnapshotError `configuration` where the newest record has no place for a network hash
 */
export function requireStateInChain(records: readonly CycleRecord[]): void {
  const newest = records.at(-1);
  if (newest === undefined || "networkDataHash" in newest.received) return;
  const problem = `the cycle records of this network have no networkDataHash (record ${newest.counter} has none): they can never confirm a network hash, as --require-chain demands`;
  throw new SnapshotError("configuration", problem, {
    hint: "Leave out --require-chain: the signed votes are what proves the state of this network.",
  });
}

/** @throws SnapshotError `verification`; `temporary` where no record names the cycle's network hash, and one must */
export function requireChainAgrees(
  records: readonly CycleRecord[],
  cycle: number,
  networkHash: string,
  isRequired: boolean,
): void {
  const recorded = recordedNetworkHashes(records, cycle);
  const other = recorded.find((hash) => hash !== networkHash);
  if (other !== undefined) {
    const problem = `the cycle chain records the network hash ${other} for cycle ${cycle}, but the gossip says ${networkHash}`;
    throw new SnapshotError("verification", problem, {
      hint: "Either most of the validators lie, or the archiver does: use another archiver, and other sources of gossip.",
    });
  }
  if (recorded.length > 0 || !isRequired) return;
  throw new SnapshotError("temporary", `no cycle record names the network hash of cycle ${cycle} yet`, {
    hint: "Try again some cycles later, or without --require-chain.",
  });
}

/** @throws SnapshotError `verification` where it disagrees, `configuration` or `temporary` where it cannot be read */
export async function requireMetadataAgrees(
  source: string,
  cycle: number,
  agreed: AgreedHashes,
  context: ListContext,
): Promise<void> {
  const shown = shownUrl(source);
  const statements = (await readMetadata(source, context)).filter((statement) => statement.cycle === cycle);
  if (statements.length === 0) context.warn(`${shown} states nothing about cycle ${cycle}`);
  for (const { networkHash, partitionHashes } of statements) {
    if (networkHash !== agreed.networkHash) {
      throw disagrees(shown, `the network hash is ${networkHash}, agreed is ${agreed.networkHash}`);
    }
    for (const [partition, hash] of partitionHashes) {
      const other = agreed.partitionHashes.get(partition);
      if (other !== hash)
        throw disagrees(shown, `partition ${partition} has the hash ${hash}, agreed is ${other}`);
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
    const isPassing = error instanceof FetchError && error.kind !== "not-asked";
    const problem = error instanceof WireError ? error.message : `cannot read ${shown}: ${messageOf(error)}`;
    const isTls = error instanceof FetchError && error.kind === "tls";
    const code = isTls ? "usage" : isPassing ? "temporary" : "configuration";
    throw new SnapshotError(code, problem, {
      cause: error,
      hint: "Correct --state-metadata, or leave it out: it is only a further witness.",
    });
  }
}

function disagrees(source: string, problem: string): SnapshotError {
  return new SnapshotError("verification", `the state metadata of ${source} disagree: ${problem}`, {
    hint: "One node contradicts the votes of those that cover the partitions: find out which of them is wrong.",
  });
}
