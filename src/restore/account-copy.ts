/** The copies of accounts in the artifacts of a snapshot, as objects. */

import { type AccountCopy, copiesIn } from "../artifact/account-copies.ts";
import { compressionOf } from "../format/artifact.ts";
import { readArtifact } from "../store/artifact-file.ts";

export type { AccountCopy };

/**
 * Yields the copies of an artifact, those that one read gives at a time.
 *
 * @throws SnapshotError `verification` if the artifact is not a list of copies; the file system's error
 */
export async function* readCopies(path: string): AsyncGenerator<readonly AccountCopy[], void, void> {
  const chunks = readArtifact(path, compressionOf(path));
  for await (const { copies } of copiesIn({ path, chunks })) yield copies;
}
