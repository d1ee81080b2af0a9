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
    expect(String(await readFileBounded(path, 600_000))).toBe("a".repeat(600_000));
    await expect(readFileBounded(path, 599_999)).rejects.toThrow("it has more than 599999 bytes");
  });

  it("may be a pipe such as the shell's <(…)", async () => {
    const path = pipe();
    const writer = spawn("sh", ["-c", `(printf one; sleep 0.1; printf two) > '${path}'`]);
    onTestFinished(() => void writer.kill());
    expect(String(await readFileBounded(path, 100))).toBe("onetwo");
  });

  it("is read up to the bound if it is an endless device", async () => {
    await expect(readFileBounded("/dev/zero", 1_000_000)).rejects.toThrow("it has more than 1000000 bytes");
  });

  it("is read until the signal aborts if it is a pipe without a writer", async () => {
    await expect(readFileBounded(pipe(), 100, AbortSignal.timeout(50))).rejects.toThrow("aborted");
  });

  it("must not be a directory", async () => {
    await expect(readFileBounded(temporaryDirectory(), 100)).rejects.toThrow("it is a directory");
  });
});
