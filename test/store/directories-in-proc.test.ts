import { execFileSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { builtFile } from "../helpers/built.ts";

it("a lock in a file system without directories fails with the code disk", () => {
  const module = JSON.stringify(pathToFileURL(builtFile("store/run-lock.js")).href);
  const script = `const { acquireRunLock } = await import(${module});
    await acquireRunLock("/proc/snapshots/lock").catch((error) => process.stdout.write(error.code));`;
  const args = ["--input-type=module", "--eval", script];
  expect(String(execFileSync(process.execPath, args, { timeout: 5000, killSignal: "SIGKILL" }))).toBe("disk");
});
