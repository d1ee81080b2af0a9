/** Resumes the archiver of a stopped network from one snapshot, which is assembled once for each file of tests. */

import { afterAll, beforeAll, expect } from "vitest";
import { type ResumeOptions, resume } from "../../../src/app/resume.ts";
import type { SnapshotError } from "../../../src/errors/snapshot-error.ts";
import { failureOf } from "../../app/run.ts";
import { makeTemporaryDirectory, removeDirectory } from "../../helpers/temporary.ts";
import { accountsPath, filesOf, rowsOf, snapshotWith } from "../restorable.ts";
import { endOf, StoppedNetwork, settings, timedAccount } from "./stopped-network.ts";

/** The snapshot of this file of tests. */
export let snapshot: string;
/** The network of the running test. */
export let network: StoppedNetwork;

/** Assembles the snapshot before the tests of a file. */
export function useSnapshot(): void {
  const scratch = makeTemporaryDirectory();
  beforeAll(async () => {
    snapshot = await snapshotWith(scratch, timedAccount, settings);
  });
  afterAll(() => removeDirectory(scratch));
}

/** A network without transactions after the snapshot. */
export function newNetwork(): StoppedNetwork {
  network = new StoppedNetwork(snapshot);
  return network;
}

/** A network that took transactions in each of five cycles after the snapshot. */
export function busyNetwork(): StoppedNetwork {
  newNetwork();
  for (let cycle = 9; cycle <= 13; cycle++) {
    for (let number = 0; number < 4; number++) {
      const ids = [network.account(number).accountId, network.account(number + cycle).accountId];
      network.transfer(ids, endOf(cycle) - 50_000 + number * 1_000);
    }
  }
  return network;
}

export type Databases = { archiverDb: string; receipts: string };
export const run = (databases: Databases, options: Partial<ResumeOptions> = {}) =>
  resume(snapshot, { ...databases, ...options });

const byId = (rows: ReturnType<typeof rowsOf>) =>
  rows.toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1));
export const rowsIn = ({ archiverDb }: Databases) => byId(rowsOf(accountsPath(archiverDb)));

export async function refused(
  databases: Databases,
  options: Partial<ResumeOptions> = {},
): Promise<SnapshotError> {
  const error = await failureOf(run(databases, options));
  expect(filesOf(databases.archiverDb)).toEqual(["cycles.sqlite3", "receipts.sqlite3"]);
  expect(error.message).toMatch(/nothing was replaced|malformed|chain/);
  return error;
}
