/** What the command ends with, so that a script can tell what to do next. */

import type { FailureCode } from "../model/failure.ts";

export const SUCCESS = 0;
/** Anything that is thrown and is not a Failure. */
export const DEFECT = 1;

const ofFailure: Readonly<Record<Exclude<FailureCode, "interrupted">, number>> = {
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

export function statusOfFailure(code: FailureCode, signal: EndingSignal | undefined): number {
  return code === "interrupted" ? statusOfSignal(signal ?? "SIGINT") : ofFailure[code];
}

export function statusOfSignal(signal: EndingSignal): number {
  return ofSignal[signal];
}

/** The end of every `--help`. */
export const exitStatusHelp = `
Exit statuses:
  0    done; also a cluster or a collector that was told to end
  1    a defect of this program
  2    usage, configuration, or a timestamp that is no cycle boundary
  3    could not fetch every partition
  4    verification failed: wrong data from every node, or the cycle chain disagrees
  5    temporary, try later: not finalized yet, or the archiver cannot be reached
  6    no agreed hash to check against
  7    verify: the cycle chain in the evidence is broken, or disagrees
  8    verify: the node list is not the trusted one, or its signature does not hold
  9    the validators hold no snapshot of that moment any more
  10   no such snapshot directory
  11   another run works on the same snapshot
  12   the disk: full, or not writable
  130, 143   ended by SIGINT (Ctrl-C), by SIGTERM
`;
