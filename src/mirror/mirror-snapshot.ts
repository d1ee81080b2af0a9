/**
 * The manifest of a mirror's snapshot. Nothing in it is believed: it names the files, and shows early that a mirror has
 * accounts of something else.
 */

import { FetchError } from "../errors/fetch-error.ts";
import type { HttpClient } from "../fetch/http/http-client.ts";
import { compressionOf, partitionKey } from "../format/artifact.ts";
import { MANIFEST_FILE, type Manifest, parseManifest } from "../format/manifest.ts";
import { snapshotName } from "../format/snapshot-names.ts";
import { listTimeMaxMs } from "../limits/network.ts";
import { manifestBytesMax } from "../limits/snapshot.ts";
import type { HashHex, Partition } from "../protocol/brands.ts";
import { WireError } from "../wire/parse.ts";
import { fileUrl, onlySnapshotOf } from "./mirror-url.ts";

/** What the validators have agreed on. */
export interface WantedSnapshot {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly numPartitions: number;
  readonly networkHash: HashHex;
}

export interface MirroredArtifact {
  readonly url: string;
  readonly isCompressed: boolean;
}

/** The status of a server that does not have a file. */
const NOT_HELD = 404;

export class MirrorSnapshot {
  readonly #client: HttpClient;
  readonly #url: string;
  readonly #wanted: WantedSnapshot;
  /** Partition key → file. */
  #files: ReadonlyMap<string, string> | undefined;

  constructor(client: HttpClient, url: string, wanted: WantedSnapshot) {
    this.#client = client;
    this.#url = url;
    this.#wanted = wanted;
  }

  /**
   * Returns where the artifact of a partition is. The manifest is read once, unless that fails.
   *
   * @throws FetchError with the status 404 if the mirror does not have the snapshot
   */
  async artifact(partition: Partition, signal: AbortSignal): Promise<MirroredArtifact> {
    this.#files ??= new Map((await this.#readManifest(signal)).artifacts);
    const file = this.#files.get(partitionKey(partition));
    if (file === undefined) throw new Error(`a manifest of as many partitions lacks partition ${partition}`);
    const url = fileUrl(this.#url, this.#wanted.timestamp, file);
    return { url, isCompressed: compressionOf(file) === "gzip" };
  }

  async #readManifest(signal: AbortSignal): Promise<Manifest> {
    const { timestamp } = this.#wanted;
    const only = onlySnapshotOf(this.#url);
    if (only !== undefined && only !== timestamp)
      throw new FetchError("not-asked", `it has only the snapshot ${only}`, { status: NOT_HELD });
    const url = fileUrl(this.#url, timestamp, MANIFEST_FILE);
    const bytes = await this.#client
      .whole({ url, signal, deadlineMs: listTimeMaxMs }, manifestBytesMax)
      .catch((error: unknown) => throwAbout(`${snapshotName(timestamp)}/${MANIFEST_FILE}`, error));
    try {
      const manifest = parseManifest(bytes.toString("utf8"));
      requireWanted(manifest, this.#wanted);
      return manifest;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // A mirror with a false manifest has the snapshot no more than one without any.
      throw new FetchError("not-http", error.message, { status: NOT_HELD, cause: error });
    }
  }
}

function throwAbout(file: string, error: unknown): never {
  if (!(error instanceof FetchError)) throw error;
  const { kind, status, retryAfterMs } = error;
  const detail = {
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  throw new FetchError(kind, `${file}: ${error.message.trimEnd()}`, { ...detail, cause: error });
}

/** @throws WireError if the manifest is not that of the agreed snapshot */
function requireWanted({ snapshot }: Manifest, wanted: WantedSnapshot): void {
  for (const field of ["timestamp", "numPartitions", "networkHash"] as const) {
    if (snapshot[field] === wanted[field]) continue;
    const problem = `it is of another snapshot: its ${field} is ${snapshot[field]}, and the agreed one is ${wanted[field]}`;
    throw new WireError(MANIFEST_FILE, problem);
  }
}
