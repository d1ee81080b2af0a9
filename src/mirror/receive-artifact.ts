/**
 * Receives the artifact of one partition from a mirror: whole, or what follows the beginning that the run already has. It
 * is committed if it has the agreed hash. A transfer that breaks off leaves a beginning, as a validator's response does.
 */

import { rm } from "node:fs/promises";
import type { Completion, CompletionOrder } from "../artifact/partition-endings.ts";
import type {
  Beginning,
  PartitionBase,
  ResponseEnd,
  ResponseReceiver,
  ResponseReport,
} from "../artifact/response-report.ts";
import { FetchError } from "../errors/fetch-error.ts";
import { ResponseError } from "../errors/response-error.ts";
import { writeBufferBytes } from "../limits/disk.ts";
import { beginningBytesMin } from "../limits/seed.ts";
import { addressAfter, addressSpace } from "../protocol/address.ts";
import type { HashHex, Partition } from "../protocol/brands.ts";
import { IncomingArtifact } from "./incoming-artifact.ts";

export interface ArtifactPlace {
  readonly partition: Partition;
  readonly hashKey: string;
  /** Where the bytes are written. */
  readonly path: string;
  /**
   * Writes the accounts of a base as one list.
   *
   * @throws SnapshotError `disk`
   */
  readonly complete: (order: CompletionOrder) => Promise<Completion>;
  /** Returns how much of a file with accounts of the partition, in order from an ID on, is whole. */
  readonly wholeAccountsIn: (path: string, after: string | undefined) => Promise<WholeBeginning | undefined>;
}

export interface WholeBeginning {
  readonly firstId: string;
  readonly lastId: string;
  /** Where the last whole account ends. */
  readonly bytes: number;
}

/** The bytes of an artifact. */
export interface ArtifactStream {
  readonly chunks: AsyncIterable<Buffer>;
  /** Returns the offset of the first byte. Valid from the first chunk on. */
  readonly firstByte: () => number;
}

type Findings = Pick<ResponseReport, "mismatched" | "outgrown" | "beginnings" | "unfitBases">;

const noFindings: Findings = { mismatched: [], outgrown: [], beginnings: [], unfitBases: [] };

/** The server has no bytes behind the beginning. */
const NOTHING_BEHIND = 416;

/** @throws SnapshotError `disk`; whatever the mirror does wrong is in the report */
export async function receiveArtifact(
  stream: ArtifactStream,
  receiver: ResponseReceiver,
  place: ArtifactPlace,
): Promise<ResponseReport> {
  const artifact = new IncomingArtifact(place.path, place.hashKey);
  try {
    if (receiver.expected(place.partition) !== undefined) receiver.begin(place.partition);
    const end = await endOf(stream.chunks, artifact, receiver, place.partition);
    const findings = await new ArtifactEnding(artifact, stream.firstByte(), receiver, place).end(end);
    const { accounts } = artifact;
    return {
      end,
      accounts,
      lastPartition: place.partition,
      foreignAccounts: 0,
      duplicateAccounts: 0,
      superfluous: [],
      ...findings,
    };
  } catch (thrown) {
    await artifact.discard();
    throw thrown;
  }
}

/** Writes what arrives, within the byte budget. */
async function endOf(
  chunks: AsyncIterable<Buffer>,
  artifact: IncomingArtifact,
  receiver: ResponseReceiver,
  partition: Partition,
): Promise<ResponseEnd> {
  let checkedBytes = 0;
  try {
    for await (const chunk of chunks) {
      await artifact.write(chunk);
      if (artifact.bytes - checkedBytes < writeBufferBytes) continue;
      checkedBytes = artifact.bytes;
      if (await receiver.mayHold(checkedBytes, partition)) continue;
      const problem = `the artifact continues after ${checkedBytes} bytes that no hash confirms`;
      throw new ResponseError("over-budget", problem);
    }
    return { kind: "complete" };
  } catch (error) {
    if (error instanceof FetchError && error.status === NOTHING_BEHIND) return { kind: "complete" };
    if (error instanceof FetchError || error instanceof ResponseError) return { kind: "failed", error };
    throw error;
  }
}

class ArtifactEnding {
  readonly #artifact: IncomingArtifact;
  readonly #base: PartitionBase | undefined;
  readonly #heldBytes: number;
  readonly #receiver: ResponseReceiver;
  readonly #place: ArtifactPlace;

  /** @param firstByte the offset of what was received in the whole artifact: what is before it is the base */
  constructor(
    artifact: IncomingArtifact,
    firstByte: number,
    receiver: ResponseReceiver,
    place: ArtifactPlace,
  ) {
    this.#artifact = artifact;
    this.#base = firstByte > 0 ? receiver.base(place.partition) : undefined;
    this.#heldBytes = firstByte;
    this.#receiver = receiver;
    this.#place = place;
  }

  /** Commits the artifact, keeps its beginning, or removes it. */
  async end(end: ResponseEnd): Promise<Findings> {
    const { partition } = this.#place;
    const { accounts, bytes, path } = this.#artifact;
    const got = await this.#artifact.close();
    const expected = this.#receiver.expected(partition);
    if (got === expected) {
      await this.#receiver.commit({ partition, accounts, bytes, baseBytes: 0, path });
      return noFindings;
    }
    const beginning = await this.#beginningLeftBy(end, expected);
    if (beginning !== undefined) return { ...noFindings, beginnings: [beginning] };
    const findings = await this.#compare(got, expected, end);
    await this.#artifact.discard();
    return { ...noFindings, ...findings };
  }

  async #compare(got: HashHex, expected: HashHex | undefined, end: ResponseEnd): Promise<Partial<Findings>> {
    const { partition } = this.#place;
    const { accounts, bytes } = this.#artifact;
    if (end.kind === "failed")
      return end.error.kind === "over-budget" ? { outgrown: [{ partition, bytes }] } : noFindings;
    if (expected === undefined) return noFindings;
    if (this.#base !== undefined) return await this.#complete(this.#base, expected);
    return { mismatched: [{ partition, expected, got, accounts, conflict: undefined }] };
  }

  async #beginningLeftBy(end: ResponseEnd, expected: HashHex | undefined): Promise<Beginning | undefined> {
    if (expected === undefined || end.kind === "complete" || !isCutOff(end.error)) return undefined;
    const { partition, wholeAccountsIn } = this.#place;
    const { path } = this.#artifact;
    const whole = await wholeAccountsIn(path, this.#base?.files.at(-1)?.high);
    if (whole === undefined || whole.bytes < beginningBytesMin) return undefined;
    await this.#artifact.cut(whole.bytes);
    return { partition, ...whole, path };
  }

  async #complete(base: PartitionBase, expected: HashHex): Promise<Partial<Findings>> {
    const { partition, complete } = this.#place;
    const path = `${this.#artifact.path}.completed`;
    // What was received is as unknown as the base: only the hash decides.
    const low = addressAfter(base.files.at(-1)?.high ?? addressSpace.low);
    const rest = { path: this.#artifact.path, compression: "none", low, high: addressSpace.high } as const;
    try {
      const completion = await complete({ base: [...base.files, rest], received: undefined, path });
      if (completion.kind === "unusable") return { unfitBases: [{ partition, reason: completion.reason }] };
      const { hash: got, accounts, bytes } = completion;
      if (got === expected) {
        const baseBytes = this.#heldBytes;
        await this.#receiver.commit({ partition, accounts, bytes, baseBytes, path });
        return {};
      }
      if (base.isOfPeer) return { mismatched: [{ partition, expected, got, accounts, conflict: undefined }] };
      return { unfitBases: [{ partition, reason: `expected ${expected}, got ${got} with the base` }] };
    } finally {
      await rm(path, { force: true });
    }
  }
}

function isCutOff({ kind }: FetchError | ResponseError): boolean {
  return kind === "reset" || kind === "stalled" || kind === "aborted";
}
