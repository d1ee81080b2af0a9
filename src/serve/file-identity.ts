/** What shows that a file is still the one that was verified, without reading it. */

import { type BigIntStats, fstatSync } from "node:fs";
import { type FileHandle, lstat } from "node:fs/promises";
import { join } from "node:path";
import { SnapshotDirectory } from "../store/snapshot-directory.ts";

/** A write changes both times. Who resets the time of the change of content changes that of the change of metadata. */
const fields = ["dev", "ino", "size", "mtimeNs", "ctimeNs"] as const;

export type FileIdentity = Readonly<Record<(typeof fields)[number], bigint>>;

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return fields.every((field) => a[field] === b[field]);
}

/** Returns the identity of a path. Links are not followed, so that a link never has the identity of its target. */
export async function identityOf(path: string): Promise<FileIdentity> {
  return only(await lstat(path, { bigint: true }));
}

export async function identityOfHandle(handle: FileHandle): Promise<FileIdentity> {
  return only(await handle.stat({ bigint: true }));
}

/** Returns the identity of an open file, before anything else can read it. */
export function identityOfDescriptor(descriptor: number): FileIdentity {
  return only(fstatSync(descriptor, { bigint: true }));
}

function only({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileIdentity {
  return { dev, ino, size, mtimeNs, ctimeNs };
}

/** Returns the identity of each file of a snapshot, by its name. Call it before the snapshot is verified. */
export async function identitiesIn(directory: string): Promise<Map<string, FileIdentity>> {
  const identities = new Map<string, FileIdentity>();
  for await (const file of new SnapshotDirectory(directory).names()) {
    identities.set(file, await identityOf(join(directory, file)));
  }
  return identities;
}
