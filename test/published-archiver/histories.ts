/** Histories of real networks. In each, a run publishes the snapshot and blames no node. */

import type { HistorySettings } from "./history.ts";

/** The lives of the second half of the nodes, which form the restarted network. */
function afterRestart(nodes: number, from: number): NonNullable<HistorySettings["lives"]> {
  const later = Array.from({ length: nodes - from }, (_, index) => from + index);
  return Object.fromEntries(later.map((node) => [node, { joined: 32, activated: 36 }]));
}

/** The lives of nodes that have joined the restarted network, and are not active yet. */
export function joining(nodes: number, from: number): NonNullable<HistorySettings["lives"]> {
  const later = Array.from({ length: nodes - from }, (_, index) => from + index);
  return Object.fromEntries(later.map((node) => [node, { joined: 27, activated: 99 }]));
}

export const histories: readonly ({ readonly id: string } & HistorySettings)[] = [
  { id: "nothing has changed", nodes: 9, snapshotCycle: 20, newest: 25 },
  {
    id: "the snapshot's own record activated a node",
    nodes: 9,
    snapshotCycle: 20,
    newest: 25,
    lives: { 4: { joined: 17, activated: 20 } },
  },
  {
    id: "the newest record is the snapshot's own, and activated a node",
    nodes: 9,
    snapshotCycle: 20,
    newest: 20,
    lives: { 4: { joined: 17, activated: 20 } },
  },
  {
    id: "a later record activated a node",
    nodes: 10,
    snapshotCycle: 20,
    newest: 25,
    lives: { 7: { joined: 18, activated: 22 } },
  },
  {
    id: "a node was removed later, and is gone",
    nodes: 10,
    snapshotCycle: 20,
    newest: 25,
    lives: { 3: { left: { cycle: 23, way: "removed" } } },
    gone: [3],
  },
  {
    id: "a node was apoptosized by the newest record",
    nodes: 10,
    snapshotCycle: 20,
    newest: 23,
    lives: { 0: { left: { cycle: 23, way: "apoptosized" } } },
  },
  {
    id: "a node is reported as lost by the newest record",
    nodes: 10,
    snapshotCycle: 20,
    newest: 23,
    lives: { 5: { left: { cycle: 24, way: "apoptosized" } } },
  },
  {
    id: "the snapshot's own record removed a node",
    nodes: 10,
    snapshotCycle: 20,
    newest: 24,
    lives: { 5: { left: { cycle: 20, way: "appRemoved" } } },
    gone: [5],
  },
  {
    id: "one node was activated and another one removed by one later record",
    nodes: 10,
    snapshotCycle: 20,
    newest: 23,
    lives: { 2: { joined: 19, activated: 22 }, 8: { left: { cycle: 22, way: "removed" } } },
    gone: [8],
  },
  {
    id: "a node came and went since",
    nodes: 10,
    snapshotCycle: 20,
    newest: 28,
    lives: { 2: { joined: 20, activated: 22, left: { cycle: 26, way: "apoptosized" } } },
    gone: [2],
  },
  {
    id: "a node that was syncing left without being activated",
    nodes: 10,
    snapshotCycle: 20,
    newest: 24,
    lives: { 2: { joined: 19, activated: 40, left: { cycle: 22, way: "apoptosized" } } },
    gone: [2],
  },
  {
    id: "the number of nodes changed in each of the last ten cycles",
    nodes: 20,
    snapshotCycle: 20,
    newest: 25,
    lives: {
      ...Object.fromEntries(
        [1, 3, 5, 7, 9].map((node, index) => [node, { joined: 10, activated: 15 + 2 * index }]),
      ),
      ...Object.fromEntries(
        [0, 4, 8, 12, 16].map((node, index) => [node, { left: { cycle: 16 + 2 * index, way: "removed" } }]),
      ),
    },
    gone: [0, 4, 8, 12, 16],
  },
  {
    id: "the network was restarted before it",
    nodes: 18,
    snapshotCycle: 40,
    newest: 44,
    shutdown: 30,
    lives: afterRestart(18, 9),
  },
  {
    id: "the network was restarted after it",
    nodes: 18,
    snapshotCycle: 27,
    newest: 44,
    shutdown: 30,
    lives: afterRestart(18, 9),
  },
  {
    id: "it lies more than a hundred cycles back",
    nodes: 10,
    snapshotCycle: 60,
    newest: 330,
    lives: { 6: { joined: 70, activated: 75 }, 2: { left: { cycle: 300, way: "removed" } } },
    gone: [2],
  },
  {
    id: "records name network hashes, as they once did",
    nodes: 9,
    snapshotCycle: 20,
    newest: 25,
    hasNetworkHashes: true,
  },
];
