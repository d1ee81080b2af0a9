/** A restarted network without processes: its cycles, its records, and what its validators read of them. */

import { describe, expect, it } from "vitest";
import { asCycle } from "../../../src/protocol/brands.ts";
import { CycleMaker, modeAfter } from "../../../src/testnet/live/cycle-maker.ts";
import { LiveChain } from "../../../src/testnet/live/live-chain.ts";
import { liveNetwork } from "../../../src/testnet/live/live-network.ts";
import { liveSettings } from "../../../src/testnet/live/live-settings.ts";
import { NetworkMembers } from "../../../src/testnet/live/membership/network-members.ts";
import { Ledger } from "../../../src/testnet/live/transactions/ledger.ts";
import { Sequencer } from "../../../src/testnet/live/transactions/sequencer.ts";
import type { LogEntry } from "../../../src/testnet/validator/state/log-entry.ts";
import { balanceAccount } from "../../../src/testnet/validator/state/transaction.ts";
import { checkChain } from "../../../src/trust/chain/cycle-chain.ts";
import { parseCycleRecords } from "../../../src/wire/cycle-records.ts";

const previousMarker = "b".repeat(64);
const restart = { wanted: { servers: [], digest: "d".repeat(64) }, previousMarker };
const settings = { ...liveSettings({ nodes: 3, snapshotEvery: 2, txRate: 10, join: ["3@1"] }), restart };
const { cycleDuration } = settings.pace;
const firstCycle = asCycle(21);
const start = { firstCycle, startSeconds: 1_800_000_000, previousMarker };
const msOf = (cycle: number) => (start.startSeconds + cycle * cycleDuration) * 1000;

function setUp() {
  const members = new NetworkMembers([], start.startSeconds, cycleDuration);
  const url = "http://127.0.0.1:4000";
  for (const [validator, identity] of liveNetwork(settings).identities.entries()) {
    members.ask({ validator, identity, url });
  }
  const chain = new LiveChain(settings, start);
  const started: number[] = [];
  const validators = {
    tryStart: async (number: number) => {
      started.push(number);
      return await Promise.resolve(undefined);
    },
    kill: () => undefined,
  };
  const plan = {
    changesAt: (at: number) => (at === 1 ? [{ kind: "join", validator: 3, cycle: asCycle(1) } as const] : []),
  };
  const modes: string[] = [];
  const cycles = new CycleMaker({
    ...{ members, chain, plan, validators, nodes: settings.nodes },
    report: (event) => event.type === "mode-changed" && modes.push(`${event.cycle} ${event.mode}`),
  });
  const accounts = ["a", "b"].map((digit) => balanceAccount(digit.repeat(64), 1, 1_000_000n));
  const sequencer = new Sequencer(settings, Ledger.of(accounts), start);
  return { members, chain, cycles, sequencer, started, modes };
}

/** Runs the network up to the beginning of a cycle. Validators have the state from the beginning of cycle 24 on. */
function runUntil(cycle: number) {
  const network = setUp();
  const { members, cycles, sequencer } = network;
  const begin = (): readonly LogEntry[] => {
    const { entries, record, isFirstProcessing } = cycles.begin();
    if (isFirstProcessing) sequencer.takeFrom(record.start * 1000);
    if (record.counter === 23) for (const validator of [0, 1, 2]) members.synced(validator);
    return entries;
  };
  return { ...network, log: [...begin(), ...sequencer.until(msOf(cycle), begin)] };
}

describe("a restarted network", () => {
  it("continues the numbers and the chain of the network before", () => {
    const { chain, modes } = runUntil(30);
    const { records } = parseCycleRecords(JSON.parse(JSON.stringify(chain.records)), "chain");
    expect(records.map(({ counter }) => counter)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
    expect(records[0]).toMatchObject({ previous: previousMarker, start: msOf(21) / 1000 });
    expect(checkChain(records)).toEqual([]);
    expect(records.map(({ active }) => active)).toEqual([0, 0, 0, 0, 3, 3, 3, 3, 3, 3]);
    expect(modes).toEqual(["21 restart", "22 restore", "24 processing"]);
    expect(records.map(({ received }) => received["mode"])).toEqual([
      ...["restart", "restore", "restore"],
      ...Array<string>(7).fill("processing"),
    ]);
  });

  it("takes no transaction and no snapshot before all of its validators are active", () => {
    const { log, chain } = runUntil(30);
    const transactions = log.flatMap((entry) => (entry.type === "transfer" ? [entry.timestamp] : []));
    expect(transactions[0]).toBe(msOf(24));
    const first = log.findIndex(({ type }) => type === "transfer");
    expect(log.slice(0, first).filter(({ type }) => type === "node-activated")).toHaveLength(3);
    const marked = log.flatMap((entry) =>
      entry.type === "cycle-end" && entry.snapshot ? [entry.cycle] : [],
    );
    expect(marked).toEqual([25, 27, 29]);
    const { records } = parseCycleRecords([...chain.records], "chain");
    expect(records.filter(({ snapshot }) => snapshot).map(({ counter }) => counter)).toEqual([26, 28, 30]);
  });

  it("begins the planned changes of its nodes only then", () => {
    expect(runUntil(24).started).toEqual([]);
    expect(runUntil(25).started).toEqual([3]);
  });

  it("has other validators than the network before, so that nobody votes twice on a cycle", () => {
    const { restart: _restart, ...before } = settings;
    const keys = [before, settings].flatMap((one) =>
      liveNetwork(one).identities.map(({ publicKey }) => publicKey),
    );
    expect(new Set(keys).size).toBe(6);
  });

  it("makes other transactions than the network before", () => {
    const accounts = ["a", "b"].map((digit) => balanceAccount(digit.repeat(64), 1, 1_000_000n));
    const made = [0, 21].map((cycle) => {
      const sequencer = new Sequencer(settings, Ledger.of(accounts), {
        ...start,
        firstCycle: asCycle(cycle),
      });
      sequencer.takeFrom(msOf(21));
      return sequencer.until(msOf(21)).find(({ type }) => type === "transfer");
    });
    expect(made[0]).not.toEqual(made[1]);
  });
});

it.each([
  { before: undefined, active: 0, syncing: 3, mode: "restart" },
  { before: "restart", active: 0, syncing: 2, mode: "restart" },
  { before: "restart", active: 1, syncing: 2, mode: "restore" },
  { before: "restore", active: 2, syncing: 1, mode: "restore" },
  { before: "restore", active: 3, syncing: 0, mode: "processing" },
  { before: "processing", active: 2, syncing: 0, mode: "processing" },
  { before: undefined, active: 3, syncing: 0, mode: "processing" },
] as const)(
  "a network of three with $active active and $syncing syncing nodes goes from $before to $mode",
  ({ before, active, syncing, mode }) => {
    expect(modeAfter(before, { active, syncing }, 3)).toBe(mode);
  },
);
