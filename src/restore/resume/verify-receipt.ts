/**
 * Checks the signatures of a receipt as the archiver does (archiver 3.7.7, `src/Data/Collector.ts`,
 * `verifyNonGlobalTxReceipt` and `verifyGlobalTxreceipt`), and more strictly in one respect: it counts valid signatures
 * where the archiver counts signers first, and then accepts one valid signature less. Core makes no receipt with fewer
 * valid signatures than two thirds of a group (core 2.15.8, `requiredVotesPercentage`).
 *
 * The archiver also compares the transaction with its ID. Nothing of the transaction is replayed, and its ID is signed.
 */

import { isHex64 } from "../../protocol/address.ts";
import type { Partition, PublicKey } from "../../protocol/brands.ts";
import { signerOf, signOf } from "../../protocol/crypto/signature.ts";
import { type GlobalReceipt, type Receipt, voteHashOf } from "../../protocol/receipt.ts";
import { covers, partitionOf } from "../../protocol/shard.ts";
import type { CycleMembers } from "./cycle-members.ts";

/** Returns why a receipt is not proved; `undefined` if it is. */
export function unprovedBecause(
  receipt: Receipt,
  members: CycleMembers,
  hashKey: string,
): string | undefined {
  // The archiver finds the group of a global change by its source (core 2.15.8, src/p2p/GlobalAccounts.ts).
  const address = receipt.kind === "voted" ? receipt.proposal.executionShardKey : receipt.source;
  if (receipt.kind === "global" && !isKnownChange(receipt))
    return "it is a change of a global account of a kind that archivers do not accept";
  if (!isHex64(address)) return "it names no address whose validators could have signed it";
  const { shard, indexOf, groupSize } = members;
  const partition = partitionOf(shard, address);
  const isMember = (key: PublicKey) => {
    const index = indexOf.get(key);
    return index !== undefined && covers(shard, index, partition);
  };
  const valid = new Set<PublicKey>();
  let others = 0;
  for (const [sign, message] of signedMessages(receipt, address, hashKey)) {
    const owner = signOf({ sign })?.owner;
    if (owner === undefined || !isMember(owner)) others++;
    else if (!valid.has(owner) && signerOf({ ...message, sign }, hashKey) === owner) valid.add(owner);
    if (isTwoThirds(valid.size, groupSize)) return undefined;
  }
  return describe({ valid: valid.size, others, groupSize, partition, total: receipt.signatures.length });
}

/** Shardeum's `InitNetwork`, `ApplyChangeConfig` and `ApplyNetworkParam`. */
const creation = 1;
const changes: readonly unknown[] = [4, 11];

/** The archiver accepts the first kind only where the account does not exist (`src/shardeum/verifyGlobalTxReceipt.ts`). */
function isKnownChange({ tx, addressHash }: GlobalReceipt): boolean {
  const { value } = tx;
  if (typeof value !== "object" || value === null || !("internalTXType" in value)) return false;
  const { internalTXType: type } = value;
  return changes.includes(type) || (type === creation && addressHash === "");
}

function isTwoThirds(count: number, groupSize: number): boolean {
  return 3 * count >= 2 * groupSize;
}

/** Yields each signature with what it should sign. */
function* signedMessages(
  receipt: Receipt,
  address: string,
  hashKey: string,
): Generator<readonly [sign: unknown, message: object]> {
  if (receipt.kind === "global") {
    const { sign: _sign, ...tx } = receipt.tx;
    for (const sign of receipt.signatures) yield [sign, tx];
    return;
  }
  const { proposal, signatures, voteOffsets } = receipt;
  const voteHash = voteHashOf(proposal, address, hashKey);
  for (const [index, sign] of signatures.entries()) {
    const voteTime = voteOffsets[index];
    // Without a time, nothing could have been signed.
    if (typeof voteTime === "number") yield [sign, { txid: proposal.txId, voteHash, voteTime }];
  }
}

interface Count {
  readonly valid: number;
  /** Signatures of nodes outside the group. */
  readonly others: number;
  readonly groupSize: number;
  readonly partition: Partition;
  readonly total: number;
}

function describe({ valid, others, groupSize, partition, total }: Count): string {
  const outside = others === 0 ? "" : `, ${others} of others than the group of partition ${partition}`;
  return `${valid} valid signatures of a group of ${groupSize}, which is less than two thirds (${total} signatures${outside})`;
}
