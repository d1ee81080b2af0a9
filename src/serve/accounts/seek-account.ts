/**
 * Finds an account in a plain artifact without reading what is before it: the copies are in ascending order of ID, and the
 * text before an ID occurs nowhere else, so that the file can be bisected.
 */

import type { FileHandle } from "node:fs/promises";
import { copySeparator } from "../../artifact/account-copies.ts";
import { serveReadBytes } from "../../limits/serve.ts";
import { ADDRESS_DIGITS } from "../../protocol/address.ts";

/** A place where a copy begins. */
interface CopyAt {
  readonly offset: number;
  readonly id: string;
}

/** Bytes that one step reads first: a few hundred accounts of the usual size. */
const windowBytes = 64 * 1024;

/**
 * Returns an offset from which an artifact is to be read for the accounts from an ID on: that of the brace of a copy with a
 * smaller ID, at most a read before the ID's place; or 0, that of the bracket of the list.
 */
export async function seekAccount(handle: FileHandle, id: string): Promise<number> {
  let low = 0;
  let high = (await handle.stat()).size;
  while (high - low > serveReadBytes) {
    const middle = low + Math.floor((high - low) / 2);
    const copy = await firstCopyFrom(handle, middle, high);
    if (copy === undefined || copy.id >= id) high = middle;
    else low = copy.offset;
  }
  return low;
}

/** Returns the first copy whose separator begins in a part of the file; `undefined` if there is none. */
async function firstCopyFrom(handle: FileHandle, start: number, end: number): Promise<CopyAt | undefined> {
  const needed = copySeparator.length + ADDRESS_DIGITS;
  const window = Buffer.allocUnsafe(windowBytes);
  for (let position = start; position < end; ) {
    const { bytesRead } = await handle.read(window, 0, window.length, position);
    const at = window.subarray(0, bytesRead).indexOf(copySeparator);
    if (at < 0) {
      if (bytesRead < needed) return undefined;
      // A separator may lie across the end of the window.
      position += bytesRead - copySeparator.length + 1;
    } else if (position + at >= end) {
      return undefined;
    } else if (at + needed > bytesRead) {
      if (at === 0) return undefined; // the file ends within the ID
      position += at;
    } else {
      const idAt = at + copySeparator.length;
      return { offset: position + at + 1, id: window.toString("latin1", idAt, idAt + ADDRESS_DIGITS) };
    }
  }
  return undefined;
}
