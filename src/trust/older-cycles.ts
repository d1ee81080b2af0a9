/**
 * Reads cycle records that are older than those in an archiver's response to `GET /cycleinfo/<count>` (PROTOCOL.md, Cycle
 * records). Some archivers return as many as are requested. The published one returns at most 100, and older ones in
 * pages, in response to `POST /cycleinfo`. Each such request must be signed, with any key pair.
 */

import { generateKeyPairSync } from "node:crypto";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { cyclePageRecords, cyclePagesMax, cycleRecordsMax } from "../limits/network.ts";
import { ownerOf, signed } from "../protocol/crypto/signature.ts";
import { type CycleRecords, parseCycleRecords } from "../wire/cycle-records.ts";
import { WireError } from "../wire/parse.ts";
import { type ListContext, type Received, readList } from "./list-source.ts";
import type { ListSources } from "./network-options.ts";

/**
 * @param known the newest records
 * @param first the number of the oldest record that is needed
 * @returns the known records if no older ones are available or needed, or if the records are from a file
 * @throws SnapshotError
 */
export async function readOlderCycles(
  known: Received<CycleRecords>,
  first: number,
  sources: ListSources,
  context: ListContext,
): Promise<Received<CycleRecords>> {
  const wanted = Math.max(0, first);
  const oldest = known.records[0]?.counter;
  if (sources.cycles !== undefined || oldest === undefined || oldest <= wanted) return known;
  const count = Math.min(known.records.length + oldest - wanted, cycleRecordsMax);
  const request = { path: `cycleinfo/${count}`, ifUnsigned: "chain" } as const;
  const more = await readList(request, sources, context, parseCycleRecords);
  const cycles = more.records.length > known.records.length ? more : known;
  return await readPages(cycles, wanted, sources, context);
}

async function readPages(
  known: Received<CycleRecords>,
  wanted: number,
  sources: ListSources,
  context: ListContext,
): Promise<Received<CycleRecords>> {
  const pages = [known];
  const requester = generateKeyPairSync("ed25519").privateKey;
  let oldest = known.records[0]?.counter ?? 0;
  while (oldest > wanted) {
    if (pages.length > cyclePagesMax) throw tooFarBack(wanted, oldest);
    const [start, end] = [Math.max(wanted, oldest - cyclePageRecords), oldest - 1];
    const body = signed({ start, end, sender: ownerOf(requester) }, requester, context.hashKey);
    const parse = (received: unknown, source: string) => parsePage(received, source, start, end);
    const request = { path: "cycleinfo", body, ifUnsigned: "chain" } as const;
    const page = await readList(request, sources, context, parse);
    const first = page.records[0]?.counter;
    if (first === undefined) break; // the archiver has no older ones
    pages.push(page);
    oldest = first;
  }
  if (pages.length === 1) return known;
  pages.reverse();
  return {
    records: pages.flatMap(({ records }) => records),
    skipped: {
      count: pages.reduce((sum, { skipped }) => sum + skipped.count, 0),
      first: pages.flatMap(({ skipped }) => skipped.first).slice(0, 3),
    },
    responses: pages.flatMap(({ responses }) => responses),
    received: pages.map(({ received }) => received),
    bytes: listOf(pages.map(({ bytes }) => bytes)),
  };
}

function parsePage(received: unknown, source: string, start: number, end: number): CycleRecords {
  const page = parseCycleRecords(received, source);
  const other = page.records.find(({ counter }) => counter < start || counter > end);
  if (other === undefined) return page;
  throw new WireError(source, `got record ${other.counter}, but requested records ${start} to ${end}`);
}

/** Returns a JSON list of responses, each byte for byte as received. */
function listOf(responses: readonly Buffer[]): Buffer {
  const separated = responses.flatMap((bytes, index) => [Buffer.from(index === 0 ? "[" : ",\n"), bytes]);
  return Buffer.concat([...separated, Buffer.from("]")]);
}

function tooFarBack(wanted: number, oldest: number): SnapshotError {
  const problem = `cycle ${wanted} is too far back: ${cyclePagesMax} requests reached record ${oldest}`;
  return new SnapshotError("configuration", problem, {
    hint: "Give the records as a file with --cycles.",
  });
}
