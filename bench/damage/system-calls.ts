/** The system calls of a run on the directory of the snapshots, and the points at which they can be broken. */

import { createHash } from "node:crypto";

/** System calls that change files. */
const changing =
  "write writev pwrite64 pwritev fsync fdatasync ftruncate rename renameat renameat2 unlink unlinkat mkdir mkdirat " +
  "rmdir link linkat symlink symlinkat chmod fchmod fchmodat chown fchown lchown utimensat copy_file_range sendfile " +
  "fallocate";
const reading =
  "read readv pread64 getdents64 statx stat lstat fstat newfstatat statfs fstatfs access faccessat faccessat2 " +
  "readlink fcntl";
const changingCalls = new Set(changing.split(" "));

/** The system calls to record, in the syntax of strace. */
export const tracedCalls = ["openat", "open", ...changingCalls, ...reading.split(" ")]
  .map((call) => `?${call}`)
  .join();

export const errorCodes = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE"] as const;
export type ErrorCode = (typeof errorCodes)[number];
export type BreakKind = "kill" | ErrorCode;

export interface SystemCall {
  readonly call: string;
  /** Below the directory of the snapshots; empty for the directory itself. */
  readonly path: string;
  readonly isMainThread: boolean;
  /** Its number, from 1, among the same calls of the thread on the path. */
  readonly nth: number;
  readonly isChanging: boolean;
}

/** A system call, and the way it is broken. */
export interface BreakPoint extends SystemCall {
  readonly kind: BreakKind;
}

export interface PointSelection {
  readonly kinds: readonly string[];
  /** All system calls by default. */
  readonly calls: readonly string[] | undefined;
  readonly reads: "excluded" | "included" | "only";
  /** One of so many points. */
  readonly every: number;
  readonly seed: string;
}

/** Parses the log of strace. */
export function parseCalls(log: string, directory: string): SystemCall[] {
  const counts = new Map<string, number>();
  const calls: SystemCall[] = [];
  let mainThread: string | undefined;
  for (const line of log.split("\n")) {
    const match = /^(\d+) +(\w+)\((.*)$/.exec(line);
    if (match === null) continue;
    const [, thread, call = "", rest = ""] = match;
    mainThread ??= thread;
    const isMainThread = thread === mainThread;
    const args = rest.replace(/\) += .*$/, "");
    const paths = [...args.matchAll(/(?:"|\d<)([^">]*)[">]/g)].map(([, path = ""]) => path);
    const within = new Set(paths.filter((path) => path === directory || path.startsWith(`${directory}/`)));
    const keyOf = (path: string) => `${isMainThread} ${call} ${path}`;
    for (const path of within) counts.set(keyOf(path), (counts.get(keyOf(path)) ?? 0) + 1);
    const [path] = within;
    if (path === undefined) continue;
    calls.push({
      call,
      path: path.slice(directory.length),
      isMainThread,
      nth: counts.get(keyOf(path)) ?? 1,
      isChanging: isChangingCall(call, args),
    });
  }
  return calls;
}

function isChangingCall(call: string, args: string): boolean {
  const opensForWriting = call.startsWith("open") && /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(args);
  return opensForWriting || changingCalls.has(call);
}

export function selectPoints(recorded: readonly SystemCall[], selection: PointSelection): BreakPoint[] {
  const { kinds, calls, reads, every, seed } = selection;
  const chosen = recorded.filter(({ call }) => calls === undefined || calls.includes(call));
  const failing = chosen.filter(({ isChanging }) => (isChanging ? reads !== "only" : reads !== "excluded"));
  // A kill between two calls that change files has the effect of a kill at the second one.
  const killed = chosen.filter(({ isChanging }) => isChanging);
  const points: BreakPoint[] = [
    ...(kinds.includes("kill") ? killed.map((call): BreakPoint => ({ ...call, kind: "kill" })) : []),
    ...errorCodes
      .filter((code) => kinds.includes(code))
      .flatMap((kind) => failing.map((call) => ({ ...call, kind }))),
  ];
  return every === 1 ? points : points.filter((point) => sampleOf(point, seed) % every === 0);
}

function sampleOf(point: BreakPoint, seed: string): number {
  const text = `${seed} ${describePoint(point)}`;
  return createHash("sha256").update(text).digest().readUInt32LE(0);
}

export function describePoint({ kind, call, path, nth, isMainThread }: BreakPoint): string {
  return `${kind} ${call} ${path === "" ? "." : path.slice(1)} ${nth}${isMainThread ? " of the main thread" : ""}`;
}
