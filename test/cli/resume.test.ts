import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asCycle, asHashHex } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { HashDatabase } from "../../src/store/hash-database/hash-database.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { snapshotWith } from "../restore/restorable.ts";
import { endOf, StoppedNetwork, settings, timedAccount } from "../restore/resume/stopped-network.ts";
import { commandLine } from "./command-line.ts";

const scratch = makeTemporaryDirectory();
let snapshot: string;
beforeAll(async () => {
  snapshot = await snapshotWith(scratch, timedAccount, settings);
});
afterAll(() => removeDirectory(scratch));

/** The arguments for an archiver with three transactions after the snapshot; the first receipts may be missing. */
function archiverArguments(missing = 0): string[] {
  const network = new StoppedNetwork(snapshot);
  for (let number = 0; number < 3; number++) {
    network.transfer([network.account(0).accountId], endOf(9) - 50_000 + number);
  }
  const { archiverDb, receipts } = network.write(network.rows.slice(missing));
  return ["resume", snapshot, "--archiver-db", archiverDb, "--receipts", receipts];
}

describe("the resume command", () => {
  it("prints each step on stderr, and on stdout what was resumed and what to do now", async () => {
    const said = await commandLine(archiverArguments());
    expect(said.status, said.stderr).toBe(0);
    expect(said.stdout).toMatch(/^resumed {7}\S+accounts\.sqlite3\n/);
    expect(said.stdout).toContain("3 read, 3 applied, 0 skipped");
    expect(said.stdout).toContain("not verified: no agreed hash of cycle 9 is known");
    expect(said.stdout).toContain("1. Resume every archiver of archiversAtShutdown from the same snapshot");
    expect(said.stderr).toContain("replaying the receipts in ");
  });

  it("prints each step and the summary as JSON lines with --json", async () => {
    const said = await commandLine([...archiverArguments(), "--json", "--dry-run"]);
    const steps = said.objects().flatMap(({ type, step }) => (type === "step" ? [step] : []));
    expect(steps).toEqual(["verify", "write", "read-back", "replay", "measure", "done"]);
    expect(said.summary()).toMatchObject({
      type: "summary",
      ok: true,
      replay: { receipts: { read: 3, applied: 3 }, gaps: { count: 0 } },
      state: { cycle: 9, isAgreed: null },
      file: null,
    });
  });

  it("ends with status 3 if a receipt is missing, and names the account and the transaction", async () => {
    const said = await commandLine(archiverArguments(1));
    expect(said.status).toBe(3);
    expect(said.stderr).toMatch(
      /account [0-9a-f]{64}: transaction [0-9a-f]{64} of cycle 9 follows the state/,
    );
  });

  it("has every field of the summary after a failure", async () => {
    const said = await commandLine([...archiverArguments(1), "--json"]);
    expect(said.summary()).toMatchObject({ ok: false, replay: null, state: null, file: null, warnings: [] });
  });

  it("says whether the state has the network hash that a collector saw agreed on", async () => {
    const first = await commandLine([...archiverArguments(), "--json", "--dry-run"]);
    const { networkHash } = first.summary()["state"] as { networkHash: string };
    for (const [hash, isAgreed] of [
      [networkHash, true],
      ["0".repeat(64), false],
    ] as const) {
      const path = join(temporaryDirectory(), "hashes.sqlite3");
      const database = HashDatabase.open(path);
      database.claim({ networkId: "", hashKey: DEFAULT_HASH_KEY });
      database.saveAgreed(asCycle(9), [], asHashHex(hash));
      database.close();
      const said = await commandLine([...archiverArguments(), "--json", "--dry-run", "--hash-db", path]);
      expect(said.summary()["state"]).toMatchObject({ isAgreed });
      const warnings = isAgreed
        ? []
        : [expect.stringContaining("another network hash at the end of cycle 9")];
      expect(said.summary()["warnings"]).toEqual(warnings);
    }
  });

  it("refuses to resume without receipts", async () => {
    const said = await commandLine(["resume", snapshot, "--archiver-db", scratch]);
    expect(said.status).toBe(2);
    expect(said.stderr).toContain("--receipts");
  });
});
