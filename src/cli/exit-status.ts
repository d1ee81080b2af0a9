/** What the command ends with, so that a script can tell what to do next. */

import type { SnapshotErrorCode } from "../errors/snapshot-error.ts";

export const SUCCESS = 0;
/** Anything that is thrown and is not a SnapshotError. */
export const DEFECT = 1;

const ofFailure: Readonly<Record<Exclude<SnapshotErrorCode, "interrupted">, number>> = {
  usage: 2,
  configuration: 2,
  "unaligned-timestamp": 2,
  incomplete: 3,
  verification: 4,
  temporary: 5,
  "no-agreement": 6,
  chain: 7,
  "node-list": 8,
  gone: 9,
  "no-such-snapshot": 10,
  locked: 11,
  disk: 12,
};

const ofSignal = { SIGINT: 130, SIGTERM: 143 } as const;

export type EndingSignal = keyof typeof ofSignal;

export function statusOfError(code: SnapshotErrorCode, signal: EndingSignal | undefined): number {
  return code === "interrupted" ? statusOfSignal(signal ?? "SIGINT") : ofFailure[code];
}

export function statusOfSignal(signal: EndingSignal): number {
  return ofSignal[signal];
}

/** In the order of their numbers, with what they mean wherever nothing else is said. */
const meanings = {
  0: "done",
  1: "a bug of this program",
  2: "usage or configuration: correct it",
  3: "could not fetch every partition",
  4: "verification failed: wrong data, or the validators or the chain record another network hash",
  5: "temporary, try later: not finalized yet, or the archiver cannot be reached",
  6: "no agreed hash to check against, or nothing settles the sharding settings",
  7: "the cycle chain is broken, lacks the record, is not proved, or its signature does not hold",
  8: "the node list is not the trusted one, is not proved, is of another cycle, or its signature does not hold",
  9: "the validators hold no snapshot of that moment any more",
  10: "there is no such snapshot directory",
  11: "another run works on the same snapshot",
  12: "the disk: full, not writable, or damaged",
} as const;

type Meanings = { readonly [Status in keyof typeof meanings]?: string };

/** The statuses that each command ends with, apart from 0 and 1 and those of signals; and what is special in it. */
const statusesOfCommand: Readonly<Record<string, Meanings>> = {
  "": {
    0: "published, or already published and verified",
    2: "usage, configuration, or a timestamp that is no cycle boundary",
    ...shared(3, 4, 5, 6, 7, 8, 9, 11, 12),
  },
  plan: {
    2: "usage, configuration, or a timestamp that is no cycle boundary",
    ...shared(5, 6, 7, 8, 12),
  },
  verify: {
    0: "nothing wrong was found",
    ...shared(2, 4),
    6: "the votes do not carry the hashes, or nothing proves the sharding settings",
    ...shared(7, 8, 10, 12),
  },
  cluster: { 0: "told to end", ...shared(2, 12) },
  collect: { 0: "told to end", ...shared(2, 5, 6, 7, 8, 12) },
  nodes: { ...shared(2), 5: "temporary: another process keeps the database locked", ...shared(12) },
};

function shared(...statuses: (keyof typeof meanings)[]): Meanings {
  return Object.fromEntries(statuses.map((status) => [status, meanings[status]]));
}

/** The end of a command's `--help`: the statuses that it can end with, and no others. */
export function exitStatusHelp(command: string): string {
  const own = { 0: meanings[0], 1: meanings[1], ...statusesOfCommand[command] };
  const lines = Object.entries(own).map(([status, meaning]) => `  ${status.padEnd(4)} ${meaning}`);
  return `\nExit statuses:\n${lines.join("\n")}\n  130, 143   ended by SIGINT (Ctrl-C), by SIGTERM\n`;
}
