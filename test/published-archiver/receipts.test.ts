/** The receipts of the tests are such as the published archiver verifies, and it refuses those that are refused here. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resume } from "../../src/app/resume.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { makeTemporaryDirectory, removeDirectory } from "../helpers/temporary.ts";
import { snapshotWith } from "../restore/restorable.ts";
import {
  endOf,
  nodesOf,
  type ReceiptOptions,
  StoppedNetwork,
  settings,
  timedAccount,
} from "../restore/resume/stopped-network.ts";
import { missing, server } from "./published-archiver.ts";

const scratch = makeTemporaryDirectory();
let snapshot: string;
beforeAll(async () => {
  snapshot = await snapshotWith(scratch, timedAccount, settings);
});
afterAll(() => removeDirectory(scratch));

/** Returns what the archiver's code says of each receipt. */
function verifiedByArchiver({ rows }: StoppedNetwork): boolean[] {
  const parsed = (text: unknown): unknown => JSON.parse(String(text));
  const receipts = rows.map(
    ({ tx, cycle, signedReceipt, afterStates, beforeStates, globalModification }) => ({
      ...{ tx: parsed(tx), cycle, signedReceipt: parsed(signedReceipt), afterStates: parsed(afterStates) },
      ...{
        beforeStates: parsed(beforeStates),
        appReceiptData: { data: {} },
        globalModification: globalModification === 1,
      },
    }),
  );
  const cycles = [...new Set(rows.map(({ cycle }) => Number(cycle)))];
  const nodes = Object.fromEntries(
    cycles.map((cycle) => [cycle, nodesOf(cycle).map(({ id, publicKey }) => ({ id, publicKey }))]),
  );
  const file = join(scratch, "receipts.json");
  const { nodesPerConsensusGroup } = settings;
  writeFileSync(file, JSON.stringify({ hashKey: DEFAULT_HASH_KEY, nodesPerConsensusGroup, nodes, receipts }));
  const script = fileURLToPath(new URL("./verify-receipts.cjs", import.meta.url));
  return JSON.parse(
    execFileSync(process.execPath, [script, dirname(server), file], {
      cwd: scratch,
      encoding: "utf8",
    }),
  ) as boolean[];
}

const cases: { id: string; options: ReceiptOptions; isRight: boolean }[] = [
  { id: "all of a group", options: {}, isRight: true },
  { id: "four of five", options: { signers: (group) => group.slice(1) }, isRight: true },
  { id: "three of five", options: { signers: (group) => group.slice(2) }, isRight: false },
  { id: "others than a group", options: { signers: (_, others) => others }, isRight: false },
  { id: "the same one", options: { signers: ([one]) => (one ? [one, one, one, one] : []) }, isRight: false },
];

describe.skipIf(missing !== undefined)(
  `the published archiver's verification (${missing ?? "installed"})`,
  () => {
    it.each(cases)("agrees about receipts that are signed by $id", async ({ options, isRight }) => {
      const network = new StoppedNetwork(snapshot);
      // Every address, before and after the nodes change.
      for (let number = 0; number < 40; number++) {
        network.transfer([network.account(number).accountId], endOf(12) - 20_000 + number, options);
        network.transfer([network.account(number).accountId], endOf(13) - 20_000 + number, options);
      }
      expect(verifiedByArchiver(network)).toEqual(network.rows.map(() => isRight));
      const { replay } = await resume(snapshot, {
        ...network.write(),
        unverifiedReceipts: true,
        dryRun: true,
      });
      expect(replay.unverified.count).toBe(isRight ? 0 : 80);
    });

    it.each(cases)(
      "agrees about changes of a global account that are signed by $id",
      async ({ options, isRight }) => {
        const network = new StoppedNetwork(snapshot);
        const { accountId } = network.global;
        for (let number = 0; number < 5; number++) {
          const timestamp = endOf(12) - 20_000 + number * 20_000;
          network.execute([{ accountId, data: { number, timestamp } }], timestamp, {
            ...options,
            isGlobal: true,
          });
        }
        expect(verifiedByArchiver(network)).toEqual(network.rows.map(() => isRight));
        const { replay } = await resume(snapshot, {
          ...network.write(),
          unverifiedReceipts: true,
          dryRun: true,
        });
        expect(replay.unverified.count).toBe(isRight ? 0 : 5);
      },
    );
  },
);
