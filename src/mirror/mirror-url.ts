/** The URLs of a mirror's files: those of a published snapshot, below the mirror's URL (FORMAT.md, Layout). */

import { snapshotName } from "../format/snapshot-names.ts";
import { asMirrorUrl, type MirrorUrl } from "../protocol/brands.ts";
import { shownUrl } from "../text/shown-url.ts";

const snapshotDirectory = /\/snapshot-(\d{1,16})$/;

/**
 * Returns the URL of a file of a snapshot. It keeps the query of the mirror's own URL, which may contain a token.
 *
 * @param mirror the URL of published snapshots, or of one snapshot
 * @param file a name, or a path below the snapshot
 */
export function fileUrl(mirror: string, timestamp: number, file: string): string {
  const url = new URL(mirror);
  const base = pathOf(url);
  const snapshot = snapshotDirectory.test(base) ? base : `${base}/${snapshotName(timestamp)}`;
  url.pathname = `${snapshot}/${file}`;
  return url.href;
}

/** Returns the timestamp in the URL of one snapshot; `undefined` for the URL of snapshots. */
export function onlySnapshotOf(mirror: string): number | undefined {
  const timestamp = snapshotDirectory.exec(pathOf(new URL(mirror)))?.[1];
  return timestamp === undefined ? undefined : Number(timestamp);
}

function pathOf({ pathname }: URL): string {
  return pathname.replace(/\/+$/, "");
}

/** Returns the name of a mirror in messages and records: its URL without secrets. */
export function mirrorName(mirror: string): MirrorUrl {
  return asMirrorUrl(shownUrl(mirror));
}
