/** The parts of a live cluster without processes: its transactions, its chain and its faults. */

import { describe, expect, it } from "vitest";
import { isGlobalAccount, type WrappedData } from "../../../src/protocol/account-copy.ts";
import { asCycle, asHashHex, asPublicKey } from "../../../src/protocol/brands.ts";
import { allPartitions } from "../../../src/protocol/shard.ts";
import { hashLag } from "../../../src/testnet/cluster/cycle-records.ts";
import { LiveChain } from "../../../src/testnet/live/live-chain.ts";
import { liveNetwork, setUpNodes } from "../../../src/testnet/live/live-network.ts";
import { liveSettings } from "../../../src/testnet/live/live-settings.ts";
import { NetworkMembers } from "../../../src/testnet/live/membership/network-members.ts";
import { Ledger } from "../../../src/testnet/live/transactions/ledger.ts";
import { Sequencer } from "../../../src/testnet/live/transactions/sequencer.ts";
import { accountsOf, applied, balanceOf } from "../../../src/testnet/validator/state/transaction.ts";
import { checkChain } from "../../../src/trust/chain/cycle-chain.ts";
import { parseCycleRecords } from "../../../src/wire/cycle-records.ts";

const settings = liveSettings({ accounts: 60, txRate: 100 });
const { cycleDuration, snapshotEvery } = settings.pace;
const start = 1_800_000_000;

function genesis(): Map<string, WrappedData> {
  const { state, shard } = liveNetwork(settings);
  const accounts = allPartitions(shard).flatMap((partition) => [...state.accounts(partition)]);
  return new Map(accounts.map((account) => [account.accountId, account]));
}

describe("transactions", () => {
  const sequencer = (ledger = Ledger.of(genesis().values())) => {
    const source = new Sequencer(settings, ledger, { firstCycle: asCycle(0), startSeconds: start });
    source.takeFrom(start * 1000);
    return source;
  };

  it("never change the total balance, and never make a balance negative", () => {
    const ledger = Ledger.of(genesis().values());
    const source = sequencer(ledger);
    const total = ledger.totalBalance;
    const accounts = genesis();
    const sum = () => [...accounts.values()].reduce((before, account) => before + balanceOf(account), 0n);
    expect(sum()).toBe(total);
    let transactions = 0;
    for (const entry of source.until((start + 20) * 1000)) {
      if (entry.type !== "transfer" && entry.type !== "set-fee") continue;
      transactions++;
      for (const accountId of accountsOf(entry)) {
        accounts.set(accountId, applied(entry, accountId, accounts.get(accountId)));
      }
    }
    expect(transactions).toBe(2001);
    expect(accounts.size).toBeGreaterThan(genesis().size);
    expect([sum(), ledger.totalBalance]).toEqual([total, total]);
    expect([...accounts.values()].filter(isGlobalAccount)).toHaveLength(settings.genesis.globalAccounts);
  });

  it("do not depend on the times at which they are read", () => {
    const often = sequencer();
    const entries = Array.from({ length: 60 }, (_, step) => often.until(start * 1000 + step * 100)).flat();
    expect(entries).toEqual(sequencer().until(start * 1000 + 5900));
  });

  it("of a cycle precede its end, and those of the next cycle", () => {
    let cycle = 0;
    for (const entry of sequencer().until((start + 30) * 1000)) {
      if (entry.type !== "transfer" && entry.type !== "set-fee" && entry.type !== "cycle-end") continue;
      const beginning = (start + cycle * cycleDuration) * 1000;
      const end = beginning + cycleDuration * 1000;
      if (entry.type === "cycle-end") {
        expect(entry).toMatchObject({
          cycle,
          timestamp: end,
          snapshot: (cycle + 1) % snapshotEvery === 0,
        });
        cycle++;
      } else {
        expect(entry.timestamp).toBeGreaterThanOrEqual(beginning);
        expect(entry.timestamp).toBeLessThan(end);
      }
    }
    expect(cycle).toBe(15);
  });
});

describe("the chain of a live cluster", () => {
  const hash = (cycle: number) => cycle.toString(16).padStart(64, "0");
  const { identities } = liveNetwork(settings);
  const owners = identities.map(({ publicKey }) => publicKey);
  const url = "http://127.0.0.1:4000";
  const initial = identities.map((identity, validator) => ({ validator, identity, url }));

  /** A chain of nodes that do not change. */
  const newChain = () => {
    const chain = new LiveChain(settings, { firstCycle: asCycle(0), startSeconds: start });
    const members = new NetworkMembers(initial, start, cycleDuration);
    return { chain, begin: () => chain.begin(members.begin(chain.next)) };
  };

  it("links its records, marks cycles, and names hashes that more than half of the validators reported", () => {
    const { chain, begin } = newChain();
    begin();
    for (let counter = 1; counter < 12; counter++) {
      begin();
      for (const owner of owners.slice(0, counter === 4 ? 4 : 5))
        chain.addNetworkHash(asCycle(counter - 1), asHashHex(hash(counter - 1)), owner);
      chain.addNetworkHash(asCycle(counter - 1), asHashHex(hash(999)), asPublicKey(owners[0] ?? "")); // a second word does not count
    }
    const { records } = parseCycleRecords([...chain.records], "chain");
    expect(checkChain(records)).toMatchObject([]);
    expect(records.filter(({ snapshot }) => snapshot).map(({ counter }) => counter)).toEqual([5, 10]);
    const named = records.flatMap(({ counter, networkDataHash }) =>
      networkDataHash.map((one) => ({ ...one, lag: counter - one.cycle })),
    );
    // Only four of nine validators have reported cycle 3.
    expect(named).toEqual(
      [0, 1, 2, 4, 5, 6, 7, 8, 9].map((cycle) => ({ cycle, hash: hash(cycle), lag: hashLag })),
    );
  });

  it("names a hash that was reported late in a later record", () => {
    const { chain, begin } = newChain();
    for (let counter = 0; counter < 6; counter++) begin();
    for (const owner of owners) chain.addNetworkHash(asCycle(1), asHashHex(hash(1)), owner);
    expect(begin().networkDataHash).toEqual([{ cycle: 1, hash: hash(1) }]);
    expect(begin().networkDataHash).toEqual([]);
  });
});

describe("a live cluster's faults", () => {
  it.each([
    { fault: "9:slow", says: "fault 9:slow: unknown node 9" },
    { fault: "3:kill-at=nap", says: 'invalid step "nap"; an example is kill-at=export' },
    { fault: "0:lie=4", says: "fault 0:lie=4: the node does not store the partition" },
  ])("are refused before anything is started where no node can have them: $fault", ({ fault, says }) => {
    const faulty = { ...settings, faults: [fault] };
    expect(() => setUpNodes(faulty, liveNetwork(faulty))).toThrow(says);
  });

  it("apply to the nodes that they name", () => {
    const faulty = { ...settings, faults: ["3:kill-at=export", "*:slow", "6:lie=5"] };
    const setups = setUpNodes(faulty, liveNetwork(faulty));
    expect(setups.map(({ hooks }) => hooks.steps.length)).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0]);
    expect(setups.map(({ hooks }) => hooks.requests.intercept.length)).toEqual(Array(9).fill(1));
    expect(setups.map(({ hooks }) => hooks.state.views.length)).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0]);
  });
});
