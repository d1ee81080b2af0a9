import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readFileBounded } from "../../src/fetch/bounded-file.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

function pipe(): string {
  const path = join(temporaryDirectory(), "pipe");
  execFileSync("mkfifo", [path]);
  return path;
}

describe("a file that the user names", () => {
  it("is read whole", async () => {
    const path = join(temporaryDirectory(), "list.json");
    writeFileSync(path, Buffer.alloc(600_000, "a"));
    expect(await readFileBounded(path, 600_000)).toEqual(Buffer.alloc(600_000, "a"));
    await expect(readFileBounded(path, 599_999)).rejects.toThrow("it has more than 599999 bytes");
  });

  it("may be a pipe, as the shell makes one for <(…)", async () => {
    const path = pipe();
    const writer = spawn("sh", ["-c", `(printf one; sleep 0.1; printf two) > '${path}'`]);
    onTestFinished(() => void writer.kill());
    expect(String(await readFileBounded(path, 100))).toBe("onetwo");
  });

  it("is read no further than its bound where it is a device without end", async () => {
    await expect(readFileBounded("/dev/zero", 1_000_000)).rejects.toThrow("it has more than 1000000 bytes");
  });

  it("ends with the run's signal where it is a pipe that nobody writes to", async () => {
    await expect(readFileBounded(pipe(), 100, AbortSignal.timeout(50))).rejects.toThrow("aborted");
  });

  it("is no directory", async () => {
    await expect(readFileBounded(temporaryDirectory(), 100)).rejects.toThrow("it is a directory");
  });
});
