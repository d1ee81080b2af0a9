/** The beginning of a partition that a killed run had received: how much of the file is whole accounts, in order. */

import { listReadBytes } from "../limits/seed.ts";
import { COPY_PREFIX } from "../protocol/account-copy.ts";
import { ADDRESS_DIGITS, isHex64 } from "../protocol/address.ts";
import { openRegularFile } from "../store/regular-file.ts";

export interface WholeAccounts {
  readonly lastId: string;
  /** Where the last whole account ends, in bytes. */
  readonly bytes: number;
}

const prefix = Buffer.from(COPY_PREFIX);
/** The text from the beginning of a copy to the end of its ID. */
const HEAD_BYTES = prefix.length + ADDRESS_DIGITS;

/**
 * Reads a file up to the first account that is out of order, outside of the addresses or not whole. The last account does
 * not count, since nothing tells whether it is whole.
 *
 * @returns `undefined` without a whole account
 * @throws an error of the file system
 */
export async function scanBeginning(
  path: string,
  { low, high }: { readonly low: string; readonly high: string },
): Promise<WholeAccounts | undefined> {
  const handle = await openRegularFile(path);
  const buffer = Buffer.allocUnsafe(listReadBytes + HEAD_BYTES);
  let whole: WholeAccounts | undefined;
  let lastId = "";
  let held = 0;
  let offset = 0;
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, held, listReadBytes);
      if (bytesRead === 0) return whole;
      const text = buffer.subarray(0, held + bytesRead);
      for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + 1)) {
        if (at + HEAD_BYTES > text.length) break;
        const id = text.toString("latin1", at + prefix.length, at + HEAD_BYTES);
        if (!isHex64(id) || id <= lastId || id < low || id > high) return whole;
        if (lastId !== "") whole = { lastId, bytes: offset + at - 1 };
        lastId = id;
      }
      // A head may continue in the next chunk.
      held = Math.min(text.length, HEAD_BYTES - 1);
      offset += text.length - held;
      text.copyWithin(0, text.length - held);
    }
  } finally {
    await handle.close();
  }
}
