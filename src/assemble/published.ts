/** A snapshot that is in its place already, whole and right, need not be made again. */

import { stat } from "node:fs/promises";
import { type ExportData, exportDataDigest } from "../model/export-data.ts";
import { publishedPath } from "../store/partial-snapshot.ts";
import type { Findings } from "../verify/findings.ts";
import { verifySnapshot } from "./verify-snapshot.ts";

/** What is published there, if a full check finds it to be the snapshot of these data. */
export async function findPublished(out: string, data: ExportData): Promise<Findings | undefined> {
  const directory = publishedPath({ out, timestamp: data.timestamp });
  if ((await stat(directory).catch(() => undefined)) === undefined) return undefined;
  const findings = await verifySnapshot(directory).catch(() => undefined);
  return findings?.ok === true && findings.digest === exportDataDigest(data) ? findings : undefined;
}
