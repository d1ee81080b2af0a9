/** The exit statuses of the commands. A script decides by them what to do next. */

import type { SnapshotErrorCode } from "../errors/snapshot-error.ts";

export const SUCCESS = 0;
/** A bug: anything thrown that is not a SnapshotError. */
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
  "in-use": 13,
  unrestorable: 14,
};

const ofSignal = { SIGINT: 130, SIGTERM: 143 } as const;

export type EndingSignal = keyof typeof ofSignal;

export function statusOfError(code: SnapshotErrorCode, signal: EndingSignal | undefined): number {
  return code === "interrupted" ? statusOfSignal(signal ?? "SIGINT") : ofFailure[code];
}

export function statusOfSignal(signal: EndingSignal): number {
  return ofSignal[signal];
}

/** The meaning of each status, unless a command states a more specific one. */
const meanings = {
  0: "done",
  1: "a bug in this program",
  2: "usage or configuration: correct it",
  3: "could not fetch every partition",
  4: "verification failed: the data are wrong, or the validators or the cycle chain record another network hash",
  5: "temporary, try again later: the cycle is not finalized yet, or the archiver is unreachable",
  6: "no agreed hash to check against, or no source settles the sharding settings",
  7: "the cycle chain is broken, lacks the record of the cycle, is not proved, or has an invalid signature",
  8: "the node list is not the trusted one, is not proved, is of another cycle, or has an invalid signature",
  9: "the validators no longer hold a snapshot of that time",
  10: "the directory does not exist, or is not a snapshot",
  11: "another run is working on the same snapshot",
  12: "the disk: full, or the user's quota used up, not writable, or damaged",
  13: "the target of the restore is in use",
  14: "the target would lose accounts without a message",
} as const;

type Meanings = { readonly [Status in keyof typeof meanings]?: string };

const UNALIGNED = "usage, configuration, or a timestamp that is not a cycle boundary";
const ENDED = "ended by SIGINT (Ctrl-C) or SIGTERM";

/** The statuses of each command, except 0 and 1 where they have their common meaning, and those of signals. */
const statusesOfCommand: Readonly<Record<string, Meanings>> = {
  "": {
    0: "published, or already published and verified",
    2: UNALIGNED,
    ...shared(3, 4, 5, 6, 7, 8, 9, 11, 12),
  },
  plan: {
    2: UNALIGNED,
    ...shared(5, 6, 7, 8, 12),
  },
  verify: {
    0: "the check found no problem",
    ...shared(2, 4),
    6: "too few votes support a hash, or nothing proves the sharding settings",
    ...shared(7, 8, 10, 12),
  },
  restore: {
    0: "restored, or a dry run without a problem",
    ...shared(2, 4, 6, 7, 8, 10, 12, 13, 14),
  },
  serve: {
    0: ENDED,
    ...shared(2, 4, 6, 7, 8, 10, 12),
    13: "another process builds the index of accounts",
    14: "restarting validators would not receive every account",
  },
  resume: {
    0: "resumed, or a dry run without a problem",
    ...shared(2),
    3: "a receipt is missing: the message names the account and the transaction after it",
    4: "verification failed: the snapshot is wrong, or a receipt is malformed, not proved, or contradicts itself or the snapshot",
    ...shared(5, 6),
    7: "the cycle chain of the snapshot, or of the archiver after it, is broken or not proved",
    ...shared(8, 10, 12, 13, 14),
  },
  cluster: {
    0: ENDED,
    ...shared(2),
    3: "no server of the snapshot is left to start from",
    4: "the snapshot of --from does not verify",
    5: "a validator ended before the network took transactions",
    ...shared(6, 7, 8, 10, 12),
  },
  collect: { 0: ENDED, ...shared(2, 5, 6, 7, 8, 12) },
  nodes: {
    ...shared(2),
    5: "temporary, try again later: another process holds a lock on the database",
    ...shared(12),
  },
};

function shared(...statuses: (keyof typeof meanings)[]): Meanings {
  return Object.fromEntries(statuses.map((status) => [status, meanings[status]]));
}

/** Returns the end of a command's `--help`: the statuses that it can end with. */
export function exitStatusHelp(command: string): string {
  const own = { 0: meanings[0], 1: meanings[1], ...statusesOfCommand[command] };
  const lines = Object.entries(own).map(([status, meaning]) => `  ${status.padEnd(4)} ${meaning}`);
  const signals =
    own[0] === ENDED ? "ended at once by a second SIGINT, SIGTERM" : "ended by SIGINT (Ctrl-C), SIGTERM";
  return `\nExit statuses:\n${lines.join("\n")}\n  130, 143  ${signals}\n`;
}
