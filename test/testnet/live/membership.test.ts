/** The nodes of a live cluster from cycle to cycle, without processes: plans, records, and the log that validators read. */

import { describe, expect, it } from "vitest";
import { asCycle } from "../../../src/protocol/brands.ts";
import { makeNodeList } from "../../../src/testnet/cluster/archiver-server.ts";
import { makeJoiningIdentity } from "../../../src/testnet/cluster/network.ts";
import { LiveChain } from "../../../src/testnet/live/live-chain.ts";
import { liveNetwork } from "../../../src/testnet/live/live-network.ts";
import { liveSettings, type MembershipSettings } from "../../../src/testnet/live/live-settings.ts";
import { type Member, NetworkMembers } from "../../../src/testnet/live/membership/network-members.ts";
import { makeMembershipPlan } from "../../../src/testnet/live/membership/planned-change.ts";
import { Random } from "../../../src/testnet/state/random.ts";
import { Membership } from "../../../src/testnet/validator/membership/membership.ts";
import { parseLogEntry } from "../../../src/testnet/validator/state/log-entry.ts";
import { checkChain } from "../../../src/trust/chain/cycle-chain.ts";
import { cycleNodesOf, differentNodes } from "../../../src/trust/chain/cycle-nodes.ts";
import { parseCycleRecords } from "../../../src/wire/cycle-records.ts";
import { parseNodeList } from "../../../src/wire/node-list.ts";
import { hashNamed, idNamed } from "../../helpers/brands.ts";

const start = 1_800_000_000;

function settingsWith(membership: Partial<MembershipSettings>, nodes = 9) {
  return liveSettings({ accounts: 60, nodes, ...membership });
}

function memberOf(seed: string, validator: number, identity = makeJoiningIdentity(seed, validator)): Member {
  return { validator, identity, url: `http://127.0.0.1:${10_000 + validator}` };
}

/** The members of a new cluster, and its chain. */
function setUp(nodes = 9) {
  const settings = settingsWith({}, nodes);
  const { identities } = liveNetwork(settings);
  const initial = identities.map((identity, validator) => memberOf(settings.seed, validator, identity));
  const members = new NetworkMembers(initial, start, settings.pace.cycleDuration);
  return {
    settings,
    members,
    chain: new LiveChain(settings, { firstCycle: asCycle(0), startSeconds: start }),
  };
}

const idsOf = (nodes: readonly { readonly id: string }[]) => nodes.map(({ id }) => id);

describe("the changes of a live cluster's nodes", () => {
  it.each(["a", "b", "c", "d"])(
    "are undone by the assembler and followed by validators to the nodes of each cycle (seed %s)",
    (seed) => {
      const { members, chain } = setUp();
      const plan = makeMembershipPlan({ ...settingsWith({ churnEvery: 1 }), seed });
      const random = Random.named(seed, "delays");
      const membership = new Membership(idNamed("no node"), { nodesPerConsensusGroup: 5 }, []);
      for (const entry of members.initialEntries) membership.apply(entry);
      const actual: string[][] = [];
      let syncing: number[] = [];
      for (let cycle = 0; cycle < 60; cycle++) {
        for (const { kind, validator } of cycle === 0 ? [] : plan.changesAt(asCycle(cycle))) {
          if (kind === "join") members.ask(memberOf(seed, validator));
          if (kind === "leave") members.leave(validator);
          if (kind === "kill") members.died(validator);
        }
        for (const validator of syncing) if (random.below(2) === 0) members.synced(validator);
        const changes = members.begin(chain.next);
        chain.begin(changes);
        syncing = [...syncing, ...changes.joined.map(({ validator }) => validator)];
        for (const entry of changes.entries) {
          const read = parseLogEntry(JSON.stringify(entry), "log");
          expect(read).toEqual(entry);
          membership.apply(entry);
        }
        actual.push(changes.active.map(({ identity }) => identity.id));
      }
      const { records } = parseCycleRecords(JSON.parse(JSON.stringify(chain.records)), "chain");
      expect(checkChain(records)).toEqual([]);
      const { nodes: listed } = parseNodeList(
        JSON.parse(JSON.stringify(makeNodeList(seed, members.active))),
        "list",
      );
      expect(new Set(actual.map(({ length }) => length)).size).toBeGreaterThan(2);
      for (const record of records) {
        const nodes = cycleNodesOf(listed, records, record);
        expect([record.counter, nodes.unknown, idsOf(nodes.nodes)]).toEqual([
          record.counter,
          [],
          actual[record.counter],
        ]);
        expect(differentNodes(nodes, records, record, true)).toBeUndefined();
        expect(idsOf(membership.geometryOf(record.counter)?.nodes ?? [])).toEqual(actual[record.counter]);
      }
      // 2 √N + 2 records before a cycle state all of its nodes.
      const newest = records.slice(-30);
      expect(cycleNodesOf(listed, newest, newest[10] ?? expect.unreachable()).unknown).toEqual([]);
    },
  );

  it("activate a node in a record after its joining, and only when it has the state", () => {
    const { settings, members } = setUp();
    members.begin(asCycle(0));
    members.ask(memberOf(settings.seed, 9));
    members.synced(9);
    expect(members.begin(asCycle(1))).toMatchObject({
      joined: [{ validator: 9 }],
      activated: [],
      record: { active: 9 },
    });
    expect(members.begin(asCycle(2))).toMatchObject({
      joined: [],
      activated: [{ validator: 9 }],
      record: { active: 9 },
    });
    members.ask(memberOf(settings.seed, 10));
    for (const cycle of [3, 4, 5].map(asCycle))
      expect(members.begin(cycle)).toMatchObject({ activated: [], active: { length: 10 } });
  });

  it("report a dead node as lost, and remove it in the next record", () => {
    const { members } = setUp();
    members.begin(asCycle(0));
    members.died(3);
    const [lost] = members.begin(asCycle(1)).record.changes.lost;
    expect(lost).toBe(members.active.find(({ validator }) => validator === 3)?.identity.id);
    expect(members.begin(asCycle(2))).toMatchObject({
      removed: [{ validator: 3, isLost: true }],
      record: { active: 9, changes: { lost: [], removed: [], apoptosized: [lost] } },
    });
    expect(members.begin(asCycle(3))).toMatchObject({ removed: [], record: { active: 8 } });
  });

  it("never remove the last node", () => {
    const { members } = setUp(2);
    for (const validator of [0, 1]) members.leave(validator);
    for (const cycle of [0, 1, 2].map(asCycle)) expect(members.begin(cycle).active).toHaveLength(1);
  });

  it("let a node leave that asks before it is active, once it is", () => {
    const { settings, members } = setUp();
    members.ask(memberOf(settings.seed, 9));
    members.leave(9);
    members.begin(asCycle(0));
    members.synced(9);
    expect(members.begin(asCycle(1))).toMatchObject({ activated: [{ validator: 9 }], removed: [] });
    expect(members.begin(asCycle(2))).toMatchObject({ removed: [{ validator: 9, isLost: false }] });
  });

  it("decide whose network hash counts: that of the nodes of its cycle", () => {
    const { members, chain } = setUp(3);
    const keys = members.active.map(({ identity }) => identity.publicKey);
    const [first, second, third] = keys;
    if (first === undefined || second === undefined || third === undefined) return expect.unreachable();
    chain.begin(members.begin(asCycle(0)));
    members.leave(members.active[2]?.validator ?? -1);
    chain.begin(members.begin(asCycle(1)));
    chain.begin(members.begin(asCycle(2)));
    const [old, recent] = [hashNamed("old"), hashNamed("recent")] as const;
    chain.addNetworkHash(asCycle(0), old, first);
    chain.addNetworkHash(asCycle(0), old, third);
    chain.addNetworkHash(asCycle(1), recent, first);
    chain.addNetworkHash(asCycle(1), recent, third); // not a node of cycle 1
    expect(chain.begin(members.begin(asCycle(3))).networkDataHash).toEqual([{ cycle: 0, hash: old }]);
    chain.addNetworkHash(asCycle(1), recent, second);
    expect(chain.begin(members.begin(asCycle(4))).networkDataHash).toEqual([{ cycle: 1, hash: recent }]);
  });
});

describe("a plan of changes", () => {
  it("is made of the options, by cycle", () => {
    const plan = makeMembershipPlan(settingsWith({ join: ["9@3"], leave: ["2@4", "9@7"], kill: ["5@4"] }));
    const cycles = [3, 4, 5, 6, 7];
    expect(
      cycles.map((cycle) => plan.changesAt(asCycle(cycle)).map(({ kind, validator }) => [kind, validator])),
    ).toEqual([
      [["join", 9]],
      [
        ["leave", 2],
        ["kill", 5],
      ],
      [],
      [],
      [["leave", 9]],
    ]);
  });

  it.each([
    { options: { join: ["9"] }, says: '--join "9" is not <validator>@<cycle>' },
    { options: { leave: ["2@0"] }, says: '--leave "2@0" is not <validator>@<cycle>' },
    { options: { join: ["8@3"] }, says: "--join 8@3: validator 8 takes part from the beginning" },
    { options: { join: ["9@3", "9@5"] }, says: "validator 9 joins twice" },
    { options: { kill: ["9@3"] }, says: "--kill 9@3: unknown validator 9" },
    { options: { join: ["9@3"], leave: ["9@3"] }, says: "--leave 9@3: validator 9 joins in cycle 3" },
    { options: { leave: ["2@3"], kill: ["2@5"] }, says: "validator 2 leaves twice" },
    { options: { leave: ["2@3"], churnEvery: 4 }, says: "--churn is given with --join, --leave or --kill" },
  ])("is refused where it is impossible: $says", ({ options, says }) => {
    expect(() => makeMembershipPlan(settingsWith(options))).toThrow(says);
  });

  it("is refused where every validator leaves", () => {
    const settings = settingsWith({ leave: ["0@3"], kill: ["1@3"] }, 2);
    expect(() => makeMembershipPlan(settings)).toThrow("every validator leaves");
  });

  it("from a seed is the same each time, and keeps the number of nodes near to the first", () => {
    const changes = () => {
      const plan = makeMembershipPlan(settingsWith({ churnEvery: 3 }));
      return Array.from({ length: 600 }, (_, cycle) => plan.changesAt(asCycle(cycle + 1))).flat();
    };
    const made = changes();
    expect(changes()).toEqual(made);
    expect(made).toHaveLength(200);
    expect(made.every(({ cycle }) => cycle % 3 === 0)).toBe(true);
    expect(new Set(made.map(({ kind }) => kind))).toEqual(new Set(["join", "leave", "kill"]));
    const present = new Set(Array(9).keys());
    const sizes = made.map(({ kind, validator }) => {
      expect(present.has(validator)).toBe(kind !== "join");
      if (kind === "join") present.add(validator);
      else present.delete(validator);
      return present.size;
    });
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([7, 11]);
  });
});
