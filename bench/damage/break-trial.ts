/** Breaks one system call of a replacement, and checks the snapshots after it and after the next run. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { verifySnapshot } from "../../dist/index.js";
import { intactPartitions, isSnapshotOf, type PublishedState, treeDigest } from "./published-state.ts";
import type { BreakPoint, ErrorCode } from "./system-calls.ts";
import { assemble, type TracedRun } from "./traced-run.ts";

export interface Replacement {
  /** The arguments of the assemble command. */
  readonly args: readonly string[];
  /** The name of the published directory. */
  readonly name: string;
  /** The directory of the snapshots, with the damaged one. */
  readonly damaged: string;
  /** The state that the replacement publishes. */
  readonly right: PublishedState;
}

export type TrialResult =
  | "missed"
  | "wrong"
  | "right"
  | "right, failed more than once"
  | "right, the older one was aside"
  | "right, without effect"
  | "right, told";

interface Trial {
  readonly result: TrialResult;
  readonly problems: readonly string[];
}

/** The decisive words of a message about each error. */
const meanings: Readonly<Record<ErrorCode, RegExp>> = {
  ENOSPC: /no space is left on the disk|ENOSPC/,
  EDQUOT: /quota of the disk is used up|EDQUOT/,
  EIO: /EIO|i\/o error/i,
  EROFS: /EROFS|read-?only/i,
  EMFILE: /EMFILE|too many open files/i,
};
const diskStatus = 12;
/** The warning about the damage. */
const expectedWarnings = 1;
/** The order of calls varies: a point is retried until its call occurs. */
const attemptsMax = 3;

export async function tryPoint(
  point: BreakPoint,
  replacement: Replacement,
  directory: string,
): Promise<Trial> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const out = prepare(replacement, directory);
    const { run, injected } = await breakCall(point, out, replacement);
    if (injected > 0) return await judge(point, run, injected, out, replacement);
  }
  return { result: "missed", problems: [] };
}

/** Copies the damaged snapshots. Returns the directory of the copy. */
export function prepare({ damaged }: Replacement, directory: string): string {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const out = join(directory, "out");
  cpSync(damaged, out, { recursive: true });
  return out;
}

/** @returns the problems of a published snapshot that must be the right one, and the only entry */
export function publishedProblems(out: string, { name, right }: Replacement): string[] {
  const problems = isSnapshotOf(right, join(out, name))
    ? []
    : ["the published snapshot is not the right one"];
  const others = readdirSync(out).filter((entry) => entry !== name);
  if (others.length > 0) problems.push(`left behind: ${others.join(", ")}`);
  return problems;
}

async function breakCall(point: BreakPoint, out: string, { args }: Replacement) {
  const { kind, call, path, nth, isMainThread } = point;
  const log = join(out, "..", "calls");
  const effect = kind === "kill" ? "signal=KILL" : `error=${kind}`;
  // Each thread counts its own calls. With seccomp, strace sees the calls earlier, and cannot kill.
  const threads = isMainThread ? [] : kind === "kill" ? ["-f"] : ["-f", "--seccomp-bpf"];
  const tracing = [...threads, "-o", log, "-P", `${out}${path}`, "-e", `trace=${call}`];
  const run = await assemble(args, out, [...tracing, "-e", `inject=${call}:${effect}:when=${nth}`]);
  if (kind === "kill") return { run, injected: run.signal === "SIGKILL" ? 1 : 0 };
  return { run, injected: readFileSync(log, "latin1").split("(INJECTED)").length - 1 };
}

async function judge(
  { kind, path }: BreakPoint,
  run: TracedRun,
  injected: number,
  out: string,
  replacement: Replacement,
): Promise<Trial> {
  const { name, right, damaged } = replacement;
  const isAside = !existsSync(join(out, name));
  const problems =
    kind === "kill" ? killProblems(out, replacement) : errorProblems(kind, path, run, out, replacement);
  const places = [name, `.${name}.replaced`, `.${name}.partial`].map((place) => join(out, place));
  const kept = new Set(places.flatMap((place) => [...intactPartitions(right, place)]));
  const lost = [...intactPartitions(right, join(damaged, name))].filter((partition) => !kept.has(partition));
  if (lost.length > 0) problems.push(`intact artifacts are lost: partitions ${lost.join(", ")}`);
  problems.push(...(await nextRunProblems(out, kept, replacement)));
  if (problems.length > 0) return { result: "wrong", problems };
  if (injected > 1) return { result: "right, failed more than once", problems };
  if (kind === "kill") return { result: isAside ? "right, the older one was aside" : "right", problems };
  return { result: run.status === 0 ? "right, without effect" : "right, told", problems };
}

/** After a kill, the older or the right snapshot is published; between the two renames, the older one is aside. */
function killProblems(out: string, { name, damaged, right }: Replacement): string[] {
  const older = treeDigest(join(damaged, name));
  const published = join(out, name);
  if (existsSync(published)) {
    const isEither = treeDigest(published) === older || isSnapshotOf(right, published);
    return isEither ? [] : ["the published snapshot is neither the older nor the right one"];
  }
  const isAside = treeDigest(join(out, `.${name}.replaced`)) === older;
  return isAside ? [] : ["nothing is published, and the older snapshot is not aside"];
}

function errorProblems(
  code: ErrorCode,
  path: string,
  run: TracedRun,
  out: string,
  replacement: Replacement,
): string[] {
  const problems: string[] = [];
  const { summary } = run;
  if (/^\s+at /m.test(run.stderr)) problems.push(`a stack trace: ${run.stderr}`);
  if (summary === undefined) return [...problems, `status ${run.status}, no summary: ${run.stderr}`];
  if (summary.offences.length > 0) problems.push(`offences: ${JSON.stringify(summary.offences)}`);
  if (run.status === 0) {
    const isSilent = summary.warnings.length === expectedWarnings;
    const { name, right } = replacement;
    if (isSilent) problems.push(...publishedProblems(out, replacement));
    else if (!isSnapshotOf(right, join(out, name)))
      problems.push("the published snapshot is not the right one");
    return problems;
  }
  problems.push(...messageProblems(code, path, run, out));
  if (!existsSync(join(out, replacement.name))) problems.push("nothing is published");
  else problems.push(...killProblems(out, replacement));
  return problems;
}

function messageProblems(
  code: ErrorCode,
  path: string,
  { status, summary }: TracedRun,
  out: string,
): string[] {
  const { message = "", details = [], hint = "" } = summary?.error ?? {};
  const text = [message, ...details].join(" ");
  if (status !== diskStatus) return [`status ${status}: ${text}`];
  const problems: string[] = [];
  if (!meanings[code].test(text)) problems.push(`the message does not name the cause: ${text}`);
  const file = basename(path).replace(/-journal$/, "") || basename(out);
  if (!text.includes(file)) problems.push(`the message does not name the file: ${text}`);
  if (code === "EMFILE" && !hint.includes("ulimit -n"))
    problems.push(`the hint does not name the limit: ${hint}`);
  if (/ENOSPC|EDQUOT/.test(code) && !hint.includes("Free some space")) problems.push(`the hint: ${hint}`);
  return problems;
}

async function nextRunProblems(
  out: string,
  kept: ReadonlySet<number>,
  replacement: Replacement,
): Promise<string[]> {
  const { status, summary, stderr, stdout } = await assemble(replacement.args, out);
  if (status !== 0 || summary === undefined) {
    return [`the next run ended with ${status}: ${stderr} ${stdout}`];
  }
  const problems = publishedProblems(out, replacement);
  const again = summary.queries.flatMap(({ partitions }) => partitions).filter((one) => kept.has(one));
  if (again.length > 0) problems.push(`the next run fetched intact partitions: ${again.join(", ")}`);
  if (kept.size === replacement.right.partitions.size && summary.bytes.received > 0) {
    problems.push(
      `the next run received ${summary.bytes.received} bytes, although all partitions were intact`,
    );
  }
  const { ok, findings } = await verifySnapshot(join(out, replacement.name));
  if (!ok) problems.push(`the snapshot does not verify: ${JSON.stringify(findings)}`);
  return problems;
}
