/**
 * Cycle records as core 2.15.8 makes them (`test/vectors/archiver/processing-modern.json`): every field, real markers,
 * and the nodes that joined, were activated and left.
 */

import { canonicalTextOf } from "../../src/protocol/crypto/canonical-text.ts";
import { hashText } from "../../src/protocol/crypto/hash.ts";
import { cycleMarker } from "../../src/protocol/cycle-record.ts";
import { firstCycleStart } from "../../src/testnet/cluster/cycle-records.ts";
import type { Identity } from "../../src/testnet/validator/identity.ts";

/** A record as an archiver stores it. */
export type StoredRecord = Record<string, unknown> & { readonly counter: number; readonly marker: string };

/** When a node was a member of the network, in cycle numbers: each by the record of that cycle. */
export interface NodeLife {
  readonly identity: Identity;
  readonly port: number;
  readonly joined: number;
  readonly activated: number;
  readonly left?:
    | { readonly cycle: number; readonly way: "removed" | "apoptosized" | "appRemoved" }
    | undefined;
}

export interface ChainHistory {
  readonly lives: readonly NodeLife[];
  /** The number of the newest record; the first is 0. */
  readonly newest: number;
  /** Seconds. */
  readonly cycleDuration: number;
  readonly networkConfigHash: string;
  /** The record that shuts the network down; the next one restarts it. */
  readonly shutdown?: number | undefined;
  /** Network hashes that records name, as before `useNetworkModes`; without them records are as they are today. */
  readonly networkHashes?: ReadonlyMap<number, string> | undefined;
  /** Nodes that records name at their removal only. */
  readonly forgotten?: ReadonlySet<NodeLife | undefined> | undefined;
  /** The mode of the newest record, where it is not `processing`. */
  readonly mode?: string | undefined;
}

/** Returns the active nodes after the record of a cycle, in ascending order of ID. */
export function activeAfter({ lives, shutdown }: ChainHistory, cycle: number): NodeLife[] {
  const isActive = ({ activated, left }: NodeLife) => {
    if (activated > cycle || (left !== undefined && left.cycle <= cycle)) return false;
    return shutdown === undefined || cycle < shutdown || activated > shutdown;
  };
  return lives.filter(isActive).sort((a, b) => (a.identity.id < b.identity.id ? -1 : 1));
}

export function makeCoreRecords(history: ChainHistory): StoredRecord[] {
  const records: StoredRecord[] = [];
  for (let counter = 0; counter <= history.newest; counter++) {
    records.push(coreRecord(history, counter, records.at(-1)));
  }
  return records;
}

/** The cycles between a cycle and the record that names its network hash. */
const hashLag = 2;

function coreRecord(history: ChainHistory, counter: number, before: StoredRecord | undefined): StoredRecord {
  const { lives, cycleDuration, networkConfigHash, shutdown, networkHashes, forgotten } = history;
  const active = counter === 0 ? [] : activeAfter(history, counter - 1);
  const isShutdown = counter === shutdown;
  const isOver = (life: NodeLife) => shutdown !== undefined && counter > shutdown && life.joined < shutdown;
  const isSyncing = (life: NodeLife) => life.joined < counter && life.activated >= counter && !isOver(life);
  const syncing = lives.filter((life) => isSyncing(life) && (life.left?.cycle ?? counter) >= counter);
  const activated = lives.filter((life) => life.activated === counter);
  const leaving = (way: string, at = counter) =>
    lives.filter(({ left }) => left?.cycle === at && left.way === way).map(({ identity }) => identity.id);
  const isStated = (life: NodeLife) => forgotten?.has(life) !== true;
  const named = networkHashes?.get(counter - hashLag);
  const content = {
    activated: activated.map(({ identity }) => identity.id).sort(),
    activatedPublicKeys: activated.map(({ identity }) => identity.publicKey).sort(),
    active: active.length,
    apoptosized: leaving("apoptosized"),
    appRemoved: leaving("appRemoved"),
    archiverListHash: hashText("archivers"),
    ...(isShutdown ? { archiversAtShutdown: [] } : {}),
    counter,
    desired: Math.max(9, active.length),
    duration: cycleDuration,
    expired: 0,
    finishedSyncing: [],
    joined: [],
    joinedArchivers: [],
    joinedConsensors: lives
      .filter((life) => life.joined === counter && isStated(life))
      .map((life) => joinedConsensor(life)),
    leavingArchivers: [],
    // Reported a cycle before: a node that does not refute the report is apoptosized.
    lost: leaving("apoptosized", counter + 1),
    lostAfterSelection: [],
    lostArchivers: [],
    lostSyncing: [],
    maxSyncTime: 1200,
    mode: modeOf(history, counter),
    networkConfigHash,
    networkId: hashText("network"),
    nodeListHash: hashText(canonicalTextOf([...active, ...syncing].map((life) => node(life, counter)))),
    previous: previousOf(before, isRestart(history, counter)),
    random: 0,
    refreshedArchivers: [],
    refreshedConsensors: isShutdown
      ? []
      : refreshed(active.filter(isStated), counter).map((life) => node(life, counter)),
    refuted: [],
    refutedArchivers: [],
    removed: isShutdown ? ["all"] : leaving("removed"),
    removedArchivers: [],
    returned: [],
    standby: 0,
    standbyAdd: [],
    standbyNodeListHash: hashText("[]"),
    standbyRefresh: [],
    standbyRemove: [],
    start: firstCycleStart + counter * cycleDuration,
    startedSyncing: [],
    syncing: syncing.length,
    target: Math.max(9, active.length),
    txadd: [],
    txlisthash: hashText("[]"),
    txremove: [],
    ...(networkHashes === undefined
      ? {}
      : {
          networkDataHash: named === undefined ? [] : [{ cycle: counter - hashLag, hash: named }],
          networkReceiptHash: [],
          networkStateHash: "",
          networkSummaryHash: [],
          safetyMode: false,
          safetyNum: 0,
        }),
  };
  return { ...content, marker: cycleMarker(content) };
}

function isRestart({ shutdown }: ChainHistory, counter: number): boolean {
  return shutdown !== undefined && counter === shutdown + 1;
}

function modeOf(history: ChainHistory, counter: number): string {
  const { shutdown, newest, mode } = history;
  if (counter === shutdown) return "shutdown";
  if (isRestart(history, counter)) return "restart";
  if (counter === newest && mode !== undefined) return mode;
  if (activeAfter(history, counter - 1).length > 0) return "processing";
  return shutdown !== undefined && counter > shutdown ? "restore" : "forming";
}

/**
 * The marker of the record before. The first node of a restarted network hashes the shutdown record with its marker
 * inside, and with settings of its own.
 */
function previousOf(before: StoredRecord | undefined, isAfterShutdown: boolean): string {
  if (before === undefined) return "0".repeat(64);
  return isAfterShutdown ? hashText(canonicalTextOf({ ...before, desired: 1, duration: 30 })) : before.marker;
}

/** Each record refreshes some of the active nodes in turn, so that all of them come up within 2 √N + 2 records. */
function refreshed(active: readonly NodeLife[], counter: number): NodeLife[] {
  const count = Math.floor(Math.sqrt(active.length));
  return Array.from(
    { length: count },
    (_, index) => active[(counter * count + index) % active.length],
  ).flatMap((life) => life ?? []);
}

/** A node as the record of its joining states it. */
export function joinedConsensor({ identity, port, joined }: NodeLife) {
  return {
    activeTimestamp: 0,
    address: identity.publicKey,
    counterRefreshed: joined,
    cycleJoined: hashText(`cycle ${joined}`),
    externalIp: "127.0.0.1",
    externalPort: port,
    id: identity.id,
    // Not where others reach it.
    internalIp: "192.0.2.1",
    internalPort: 9001,
    joinRequestTimestamp: firstCycleStart,
    publicKey: identity.publicKey,
    readyTimestamp: 0,
    syncingTimestamp: firstCycleStart + joined,
  };
}

function node(life: NodeLife, counter: number) {
  return { ...joinedConsensor(life), counterRefreshed: counter, status: "active" };
}
