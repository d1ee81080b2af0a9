/**
 * Reads base files as batches of whole copies, so that unchanged accounts are taken over many at a time. Accounts are not
 * parsed: the text before an account ID occurs nowhere else in a copy.
 */

import { readSync } from "node:fs";
import type { BaseFile, BaseSource } from "../artifact/response-report.ts";
import { accountIdAt } from "../canonical/copy-run.ts";
import { messageOf } from "../errors/snapshot-error.ts";
import { listReadBytes, seedCopyBytesMax } from "../limits/seed.ts";
import { accountCopyText, COPY_PREFIX } from "../protocol/account-copy.ts";
import { ADDRESS_DIGITS } from "../protocol/address.ts";
import { readArtifact } from "../store/artifact-file.ts";
import { openRegularFile } from "../store/regular-file.ts";
import { giveBack, takeBuffer } from "./spare-buffers.ts";

/** Whole copies in the order of the file. Their memory is valid until the next batch is requested. */
export interface Batch {
  readonly text: Buffer;
  /** Where each copy begins; the last number is where the last copy ends, plus one for a comma. */
  readonly starts: readonly number[];
}

const prefix = Buffer.from(COPY_PREFIX);
/** No copy is shorter, so that this many bytes need no search for the next one. */
const copyBytesMin = accountCopyText({
  accountId: "0".repeat(ADDRESS_DIGITS),
  stateId: "",
  data: "",
  timestamp: 0,
}).length;
const COMMA = 0x2c;
const CLOSE_LIST = 0x5d;

/** A base cannot be read, or is not a list of accounts. */
export class BaseError extends Error {
  override readonly name = "BaseError";
  readonly code = "base";
}

/**
 * @param timestampMax milliseconds: newer versions in a database are left out; files are taken as they are
 * @throws BaseError
 */
export async function* readBatches(
  sources: readonly BaseSource[],
  timestampMax: number,
): AsyncGenerator<Batch, void, void> {
  const batches = readSources(sources, timestampMax);
  try {
    for (;;) {
      // An error of the consumer must not pass for one of the base.
      const next = await batches.next().catch((error: unknown) => {
        throw new BaseError(messageOf(error), { cause: error });
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await batches.return();
  }
}

async function* readSources(
  sources: readonly BaseSource[],
  timestampMax: number,
): AsyncGenerator<Batch, void, void> {
  for (const file of sources) {
    if ("isGlobal" in file) {
      // SQLite is loaded only where it is read.
      const { readTable } = await import("./base-table.ts");
      yield* readTable(file, timestampMax);
      continue;
    }
    for await (const batch of readFile(file)) {
      const [from, to] = [placeOf(batch, file.low, false), placeOf(batch, file.high, true)];
      const isWhole = from === 0 && to === batch.starts.length - 1;
      if (isWhole) yield batch;
      else if (from < to) yield { text: batch.text, starts: batch.starts.slice(from, to + 1) };
      if (to < batch.starts.length - 1) break;
    }
  }
}

/** Returns the index of the first copy at or after an address; with `isExclusive`, after it. */
export function placeOf({ text, starts }: Batch, id: string, isExclusive: boolean, from = 0): number {
  let low = from;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = accountIdAt(text, starts[middle] as number);
    if (isExclusive ? other > id : other >= id) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Reads a file into one buffer, in which the last copy waits for its end. */
async function* readFile(file: BaseFile): AsyncGenerator<Batch, void, void> {
  const source = await openSource(file);
  let text = takeBuffer();
  let held = 0;
  let skipped = 0;
  try {
    for (;;) {
      if (text.length - held < listReadBytes) text = larger(text, held, file.path);
      const read = await source.read(text, held);
      const end = held + read;
      const starts = startsOf(text.subarray(0, end));
      const last = starts.at(-1);
      if (read === 0) {
        if (last !== undefined) yield { text, starts: [...starts, endOf(text, end) + 1] };
        return;
      }
      if (last === undefined) {
        // A sparse file has terabytes of zeros, which no signal interrupts.
        skipped += read;
        if (skipped > seedCopyBytesMax)
          throw new Error(`${file.path} has ${skipped} bytes that are no account`);
        // The end of the text may be the beginning of a prefix.
        held = Math.min(end, prefix.length - 1);
        text.copyWithin(0, end - held, end);
        continue;
      }
      if (starts.length > 1) yield { text, starts };
      held = end - last;
      text.copyWithin(0, last, end);
    }
  } finally {
    giveBack(text);
    await source.close();
  }
}

function larger(text: Buffer, held: number, path: string): Buffer {
  if (held >= seedCopyBytesMax)
    throw new Error(`${path} has an account of more than ${seedCopyBytesMax} bytes`);
  const grown = Buffer.allocUnsafe(2 * text.length);
  text.copy(grown, 0, 0, held);
  giveBack(text);
  return grown;
}

function startsOf(text: Buffer): number[] {
  const starts: number[] = [];
  for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + copyBytesMin)) starts.push(at);
  return starts;
}

/** Returns where the last copy ends: before the end of the list, or before a comma. */
function endOf(text: Buffer, end: number): number {
  const last = text[end - 1];
  return last === CLOSE_LIST || last === COMMA ? end - 1 : end;
}

interface Source {
  /** Reads into a buffer from a place on; returns how many bytes, 0 at the end. */
  read(into: Buffer, at: number): Promise<number> | number;
  close(): Promise<void>;
}

async function openSource(file: BaseFile): Promise<Source> {
  return file.compression === "none" ? await openPlain(file) : openGzip(file.path);
}

/** Reads are synchronous: they run in a thread of their own, and the bytes are usually cached by the system. */
async function openPlain({ path, bytes, low }: BaseFile): Promise<Source> {
  const handle = await openRegularFile(path);
  const end = Math.min((await handle.stat()).size, bytes ?? Number.POSITIVE_INFINITY);
  let position = offsetBefore(handle.fd, end, low);
  return {
    read: (into, at) => {
      const read = readSync(handle.fd, into, at, Math.min(into.length - at, end - position), position);
      position += read;
      return read;
    },
    close: () => handle.close(),
  };
}

function openGzip(path: string): Source {
  const chunks = readArtifact(path, "gzip");
  let chunk: Buffer = Buffer.alloc(0);
  return {
    read: async (into, at) => {
      if (chunk.length === 0) chunk = (await chunks.next()).value ?? chunk;
      const read = chunk.copy(into, at);
      chunk = chunk.subarray(read);
      return read;
    },
    close: async () => {
      await chunks.return();
    },
  };
}

/** Returns an offset before which every account is below an address, by bisection. */
function offsetBefore(descriptor: number, end: number, address: string): number {
  const probe = Buffer.allocUnsafe(PROBE_BYTES);
  let low = 0;
  let high = end;
  while (high - low > listReadBytes) {
    const middle = Math.floor((low + high) / 2);
    const text = probe.subarray(0, readSync(descriptor, probe, 0, PROBE_BYTES, middle));
    const at = text.indexOf(prefix);
    const id = at < 0 ? "" : accountIdAt(text, at);
    // Without a whole account ID to compare with, the account sought may be before the probe.
    if (at >= 0 && id.length === address.length && id < address) low = middle + at;
    else high = middle;
  }
  return low;
}

const PROBE_BYTES = 64 * 1024;
