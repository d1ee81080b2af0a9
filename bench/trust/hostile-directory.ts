/**
 * Measures `verify` on directories that are made to be expensive: seconds, and the peak memory in megabytes.
 *
 *     npm run bench:hostile -- [text that the case contains]
 *
 * Ends with 1 where a case exceeds its bounds.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandPath } from "../command.ts";
import { print } from "../measure.ts";
import { type HostileCase, hostileCases } from "./hostile-cases.ts";
import { writeSnapshot } from "./hostile-snapshot.ts";

const megabytesMax = 500;
const secondsMax = 60;
const timeoutMs = 5 * 60_000;
const outputBytesMax = 2 ** 26;
/** The exit statuses of a snapshot that is rejected, and not of a crash. */
const rejections = [4, 6, 7, 8];
const reportMemory = `process.on("exit", () => process.stderr.write("maxrss=" + process.resourceUsage().maxRSS))`;

const filter = process.argv[2] ?? "";
const scratch = mkdtempSync(join(tmpdir(), "hostile-directory-"));
try {
  const verdicts = hostileCases.filter(({ id }) => id.includes(filter)).map(measure);
  process.exitCode = verdicts.every((isWithinBounds) => isWithinBounds) ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Returns whether the case is within its bounds. */
function measure(hostileCase: HostileCase): boolean {
  const { id, args = [] } = hostileCase;
  const directory = join(scratch, "snapshot");
  writeSnapshot(directory, hostileCase);
  const preload = `data:text/javascript,${encodeURIComponent(reportMemory)}`;
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--import", preload, commandPath, "verify", ...args, directory],
    { encoding: "utf8", maxBuffer: outputBytesMax, timeout: timeoutMs },
  );
  rmSync(directory, { recursive: true, force: true });
  const seconds = (performance.now() - startedMs) / 1000;
  const megabytes = Number(/maxrss=(\d+)/.exec(stderr)?.[1]) / 1024;
  const isWithinBounds =
    status !== null && rejections.includes(status) && megabytes < megabytesMax && seconds <= secondsMax;
  print(
    `${isWithinBounds ? "ok      " : "TOO MUCH"} ${megabytes.toFixed(0).padStart(5)} MB ${seconds.toFixed(1).padStart(5)} s, status ${status}: ${id}`,
  );
  return isWithinBounds;
}
