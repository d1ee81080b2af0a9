/** Reads the node list that an auditor gives. A problem with it is an error, not a finding about the snapshot. */

import { messageOf, SnapshotError } from "../errors/snapshot-error.ts";
import { readFileBounded } from "../fetch/bounded-file.ts";
import { listBytesMax } from "../limits/network.ts";
import { hashText } from "../protocol/crypto/hash.ts";
import { type NodeList, parseNodeList } from "../wire/node-list.ts";
import { parseJson, WireError } from "../wire/parse.ts";
import { describeRowProblems } from "../wire/row-problems.ts";
import type { TrustedNodeList } from "./evidence/audit.ts";
import { listSignerOf } from "./evidence/signer.ts";

/**
 * @param hashKey the hash key of the snapshot. If it is wrong, no signature is valid, and the list proves nothing more.
 * @throws SnapshotError `configuration`
 */
export async function readTrustedNodeList(
  file: string,
  hashKey: string,
  signal?: AbortSignal,
): Promise<TrustedNodeList> {
  try {
    const bytes = await readFileBounded(file, listBytesMax, signal);
    const list = parseNodeList(parseJson(bytes.toString("utf8"), file), file);
    if (list.nodes.length === 0) throw new WireError(file, noNodes(list));
    const signer = listSignerOf(list.received, hashKey);
    return {
      list,
      source: file,
      hash: hashText(bytes, hashKey),
      signer: typeof signer === "object" ? signer.key : undefined,
    };
  } catch (error) {
    signal?.throwIfAborted();
    const problem = error instanceof WireError ? error.message : `cannot read ${file}: ${messageOf(error)}`;
    throw new SnapshotError("configuration", problem, {
      cause: error,
      hint: "Correct the file given with --trust-node-list.",
    });
  }
}

function noNodes({ skipped }: NodeList): string {
  const problem = "it has no node with an ID and a key";
  return skipped.count === 0 ? problem : `${problem}: ${describeRowProblems(skipped)}`;
}
