import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { HashThread, type ThreadHash } from "../../src/artifact/hash-thread.ts";
import { hashText, RunningHash } from "../../src/protocol/crypto/hash.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const built = new URL("../../dist/artifact/hash-thread.js", import.meta.url).href;

/** A hash that continues in the thread, once the thread has started. */
async function adopted(thread: HashThread, hash: RunningHash): Promise<ThreadHash> {
  for (;;) {
    const adopted = thread.adopt(hash);
    if (adopted !== undefined) return adopted;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function threadThat(does: string): HashThread {
  const path = join(temporaryDirectory(), "worker.mjs");
  writeFileSync(
    path,
    `import { parentPort } from "node:worker_threads"; parentPort.postMessage({}); ${does}`,
  );
  return new HashThread(pathToFileURL(path));
}

describe("a hash that continues in the thread", () => {
  it("has the same result as in this thread, with any key and with other hashes at the same time", async () => {
    const thread = HashThread.shared();
    const keys = ["11".repeat(32), "22".repeat(32)];
    const hashes = keys.map((key) => new RunningHash(key).update(Buffer.from("begun here, ")));
    const [first, second] = await Promise.all(hashes.map((hash) => adopted(thread, hash)));
    await Promise.all(
      ["a", "b"].flatMap((text) => [first, second].map((hash) => hash?.update(Buffer.from(text)))),
    );
    for (const [index, hash] of [first, second].entries()) {
      expect(await hash?.digestWith(Buffer.from("]"))).toBe(hashText("begun here, ab]", keys[index]));
      // The digest has not changed the hash.
      expect(await hash?.digestWith(Buffer.from(""))).toBe(hashText("begun here, ab", keys[index]));
      hash?.forget();
    }
  });
});

it("an idle hash thread does not keep its process alive", async () => {
  const script = `import { HashThread } from ${JSON.stringify(built)}; HashThread.shared(); await new Promise((resolve) => setTimeout(resolve, 500));`;
  const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    timeout: 50_000,
  });
  expect(stderr).toBe("");
});

describe("a hash thread that ends", () => {
  it.each([
    {
      id: "with an error",
      does: 'parentPort.on("message", () => { throw new Error("broken"); });',
      message: "broken",
    },
    { id: "without an error", does: 'parentPort.on("message", () => process.exit(7));', message: "status 7" },
  ])("$id fails pending and later hashes", async ({ does, message }) => {
    const thread = threadThat(does);
    const hash = await adopted(thread, new RunningHash());
    await expect(hash.update(Buffer.from("x"))).rejects.toThrow(message);
    await expect(hash.digestWith(Buffer.from("x"))).rejects.toThrow(message);
    expect(thread.adopt(new RunningHash())).toBeUndefined();
  });

  it("before it has started is not used", async () => {
    const thread = new HashThread(pathToFileURL("/nowhere/worker.mjs"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(thread.adopt(new RunningHash())).toBeUndefined();
  });
});
