/** Reads the key that signs answers. */

import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import { readFileBounded } from "../../fetch/bounded-file.ts";
import { keyFileBytesMax } from "../../limits/serve.ts";
import { SigningKey } from "../../serve/signing-key.ts";

/**
 * Reads a key from a file; without one, makes a key that lasts as long as the server.
 *
 * @throws SnapshotError `configuration`; it does not contain the content of the file
 */
export async function readSigningKey(file: string | undefined, signal: AbortSignal): Promise<SigningKey> {
  if (file === undefined) return SigningKey.fresh();
  try {
    return SigningKey.of((await readFileBounded(file, keyFileBytesMax, signal)).toString("utf8"));
  } catch (error) {
    signal.throwIfAborted();
    throw new SnapshotError("configuration", `cannot use the key file ${file}: ${messageOf(error)}`, {
      cause: error,
      hint: "Give a file with 64 hex digits, or with the 128 of an archiver's ARCHIVER_SECRET_KEY.",
    });
  }
}
