/** Reads the file with the accounts that an export is limited to. */

import { messageOf, SnapshotError } from "../../errors/snapshot-error.ts";
import { readFileBounded } from "../../fetch/bounded-file.ts";
import { chosenAccountsBytesMax, chosenAccountsMax } from "../../limits/restore.ts";
import { isHex64 } from "../../protocol/address.ts";
import { quoted } from "../../wire/parse.ts";

/**
 * Returns the IDs in a file with one per line. Empty lines are left out.
 *
 * @throws SnapshotError `configuration`
 */
export async function readChosenAccounts(path: string, signal?: AbortSignal): Promise<string[]> {
  let text: string;
  try {
    text = (await readFileBounded(path, chosenAccountsBytesMax, signal)).toString("utf8");
  } catch (error) {
    signal?.throwIfAborted();
    throw unusable(path, messageOf(error), error);
  }
  const ids = text.split(/\r?\n/).map((line) => line.trim().toLowerCase());
  const chosen = ids.filter((id) => id !== "");
  const wrong = ids.findIndex((id) => id !== "" && !isHex64(id));
  if (wrong >= 0)
    throw unusable(path, `line ${wrong + 1}: expected 64 hex digits, got ${quoted(ids[wrong] ?? "")}`);
  if (chosen.length === 0) throw unusable(path, "it names no account");
  if (chosen.length > chosenAccountsMax)
    throw unusable(path, `it names more than ${chosenAccountsMax} accounts`);
  return [...new Set(chosen)];
}

function unusable(path: string, problem: string, cause?: unknown): SnapshotError {
  return new SnapshotError("configuration", `cannot use ${path}: ${problem}`, {
    cause,
    hint: "Give a file with the ID of one account per line.",
  });
}
