/**
 * The drill of a full restart (`npm run drill`): a network runs, its snapshot is assembled, the network shuts down, the
 * snapshot is restored, the published archiver starts again, and validators read their accounts by core's rules, from the
 * archiver and from `serve` in front of it.
 */

import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { assemble } from "../../src/app/assemble.ts";
import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { readCopies } from "../../src/restore/account-copy.ts";
import type { AccountMaker } from "../../src/testnet/state/seeded-state.ts";
import type { Identity } from "../../src/testnet/validator/identity.ts";
import { commandLine } from "../cli/command-line.ts";
import { CoreSync, wholeRange } from "../helpers/core-sync.ts";
import { hashedAccount } from "../restore/restorable.ts";
import type { ReceivedAccount } from "../serve/archiver/core-client.ts";
import { startServer } from "../serve/running-server.ts";
import { type RunningHistory, startHistory } from "./history.ts";
import { type ArchiverHome, archiverHome, missing, publishedArchiver } from "./published-archiver.ts";
import { restartNetwork } from "./restarted-network.ts";

interface Drill {
  /** Accounts with one timestamp. */
  readonly crowd: number;
  readonly globals: number;
}

/** Accounts with other timestamps, before and after the crowd. */
const others = 400;

/** Divides no number of accounts here. */
const aPrime = 7_919;

interface Restored {
  readonly history: RunningHistory;
  readonly snapshot: string;
  readonly home: ArchiverHome;
  /** What `restore` printed. */
  readonly said: string;
}

const note = missing === undefined ? "" : ` (${missing})`;

describe.skipIf(missing !== undefined)(`a full restart with a published archiver${note}`, () => {
  it("gives validators every account, from the archiver alone, where no timestamp is crowded", async () => {
    const restored = await assembleAndRestore({ crowd: 199, globals: 1 });
    const network = await restartNetwork(restored.home, restored.history.archiver, restored.history.active);
    const expected = await accountsOf(restored.snapshot);
    for (const { identity } of restored.history.active.slice(0, 2)) {
      const found = compare(expected, await syncAll(network.archiver, identity));
      tell("archiver", { crowd: 199, globals: 1 }, found);
      expect(found).toEqual({ expected: expected.size, missing: 0, different: 0 });
    }
  });

  it.each<Drill>([
    { crowd: 200, globals: 1 },
    { crowd: 201, globals: 0 },
    { crowd: 450, globals: 2 },
    { crowd: 1_000, globals: 3 },
  ])(
    "gives them every account through serve, where $crowd have one timestamp and $globals are global",
    async (drill) => {
      const { history, home, snapshot } = await assembleAndRestore(drill);
      const { archiver } = await restartNetwork(home, history.archiver, history.active);
      const { url } = await startServer([snapshot], { upstream: archiver });
      const expected = await accountsOf(snapshot);
      const identity = identityOf(history);
      for (const node of history.active.slice(0, 9)) {
        const found = compare(expected, await syncAll(url, node.identity));
        expect(found).toEqual({ expected: expected.size, missing: 0, different: 0 });
      }
      tell("serve", drill, compare(expected, await syncAll(url, identity)));
      // What serve does not answer itself, it passes on.
      const [own, passed] = await Promise.all(
        [archiver, url].map(async (base) => await (await fetch(`${base}/cycleinfo/1`)).text()),
      );
      expect(passed).toBe(own);
      // Global accounts are in the range, too.
      const alone = compare(expected, await new CoreSync(archiver, identity).accounts(wholeRange));
      tell("archiver", drill, alone);
      expect(alone.missing).toBeGreaterThan(0);
    },
  );

  it("accepts the record of the shutdown, and tells the first validator of it", async () => {
    const { history, home, said } = await assembleAndRestore({ crowd: 0, globals: 1 });
    const network = await restartNetwork(home, history.archiver, history.active);
    const { shutdown, firstAnswer, txListHash } = network;
    expect(shutdown).toMatchObject({ mode: "shutdown", counter: 26, removed: ["all"] });
    expect(firstAnswer).toMatchObject({ restartCycleRecord: shutdown, dataRequestCycle: 26 });
    expect(txListHash).toBe(shutdown["txlisthash"]);
    const report = await new CoreSync(network.archiver, identityOf(history)).post(
      "get_globalaccountreport_archiver",
      {},
    );
    expect(said).toContain(`combinedHash must be ${report["combinedHash"]}`);
  });
});

/** Assembles a snapshot of a running network, which shuts down, and restores it as its operator would. */
async function assembleAndRestore({ crowd, globals }: Drill): Promise<Restored> {
  const settings = { nodes: 9, snapshotCycle: 20, newest: 25 };
  const state = { accounts: crowd + others, globalAccounts: globals, makeAccount: crowded(crowd) };
  const history = await startHistory({ ...settings, state }, publishedArchiver);
  const { directory: snapshot } = await assemble(history.options);
  const home = await archiverHome(history.records);
  const shutdown = ["--append-shutdown", "--archivers", `127.0.0.1:4000:${history.archiver.publicKey}`];
  const target = ["--to", "archiver", "--archiver-db", home.databases];
  const { status, stdout, stderr } = await commandLine(["restore", snapshot, ...target, ...shutdown]);
  expect(status, stderr).toBe(0);
  return { history, snapshot, home, said: stdout };
}

/** Makes accounts of which so many have one timestamp. The others are older or newer. */
function crowded(crowd: number): AccountMaker {
  const places = new Map<string, number>();
  return (random, accountId, timestamp, isGlobal) => {
    const account = hashedAccount(random, accountId, timestamp, isGlobal);
    if (isGlobal) return account;
    const place = places.get(accountId) ?? places.size;
    places.set(accountId, place);
    const crowdedMs = timestamp - 1_000_000;
    // Accounts are made in order of address. What an archiver answers behind a crowd is what has high addresses: the
    // newest of all, and then nothing of what is between.
    const last = crowd + others - 1;
    if (place === last) return { ...account, timestamp: timestamp - 1 };
    const rank = (place * aPrime) % last;
    if (rank < crowd) return { ...account, timestamp: crowdedMs };
    return { ...account, timestamp: crowdedMs + (rank % 2 === 0 ? rank : -rank) };
  };
}

function identityOf({ active }: RunningHistory): Identity {
  const [first] = active;
  if (first === undefined) throw new Error("the network has no active node");
  return first.identity;
}

/** Returns the accounts as a validator would have them, by address. */
async function accountsOf(snapshot: string): Promise<Map<string, string>> {
  const artifacts = (await readdir(snapshot)).filter((name) => name.startsWith("partition-"));
  const accounts = new Map<string, string>();
  for (const file of artifacts) {
    for await (const copies of readCopies(`${snapshot}/${file}`)) {
      for (const { accountId, hash, timestamp, data } of copies)
        accounts.set(accountId, textOf(hash, timestamp, data));
    }
  }
  return accounts;
}

async function syncAll(url: string, identity: Identity): Promise<ReceivedAccount[]> {
  const sync = new CoreSync(url, identity);
  return [...(await sync.globalAccounts()), ...(await sync.accounts(wholeRange))];
}

function compare(expected: ReadonlyMap<string, string>, synced: readonly ReceivedAccount[]) {
  const found = new Map(
    synced.map(({ accountId, stateId, timestamp, data }) => [
      accountId,
      textOf(stateId, timestamp, canonicalTextOf(data)),
    ]),
  );
  const lost = [...expected.keys()].filter((accountId) => !found.has(accountId));
  const different = [...found].filter(([accountId, text]) => expected.get(accountId) !== text);
  return { expected: expected.size, missing: lost.length, different: different.length };
}

function textOf(hash: string, timestamp: number, data: string): string {
  return `${hash} ${timestamp} ${data}`;
}

function tell(source: string, { crowd, globals }: Drill, found: ReturnType<typeof compare>): void {
  const { expected, missing: lost, different } = found;
  process.stdout.write(
    `${source}: ${expected} accounts, ${crowd} of them with one timestamp, ${globals} global: ${lost} missing, ${different} different\n`,
  );
}
