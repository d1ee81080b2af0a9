/** The slow path from a record to its copy: it parses the record and writes it. The fast path must agree with it. */

import { ResponseError } from "../errors/response-error.ts";
import { accountCopyBytes, isGlobalAccount } from "../protocol/account-copy.ts";
import { CanonicalTextError } from "../protocol/crypto/canonical-text.ts";
import { GLOBAL_PARTITION, partitionOf, type Shard } from "../protocol/shard.ts";
import { WireError } from "../wire/parse.ts";
import { parseWrappedData } from "../wire/wrapped-data.ts";
import { type CopyRun, singleRun } from "./copy-run.ts";

/**
 * @param record from brace to brace
 * @throws ResponseError `malformed` for a record that is not an account
 */
export function slowPathCopy(record: Buffer, shard: Shard): CopyRun {
  try {
    const account = parseWrappedData(record, "a record");
    const partition = isGlobalAccount(account) ? GLOBAL_PARTITION : partitionOf(shard, account.accountId);
    return singleRun(partition, accountCopyBytes(account));
  } catch (error) {
    if (!(error instanceof WireError || error instanceof CanonicalTextError)) throw error;
    throw new ResponseError("malformed", error.message, { cause: error });
  }
}
