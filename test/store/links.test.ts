import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Compression } from "../../src/format/artifact.ts";
import { asPartition } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { PartialSnapshot } from "../../src/store/partial-snapshot.ts";
import { acquireRunLock } from "../../src/store/run-lock.ts";
import { SnapshotDirectory } from "../../src/store/snapshot-directory.ts";
import { digestOf, digestsIn } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const timestamp = 1_700_000_640_000;
const partialName = `.snapshot-${timestamp}.partial`;
/** A timeout that shows that no test waits for the other end of a FIFO. */
const timeoutMs = 5_000;

/** A FIFO without a writer; code that opened it nevertheless is unblocked when the test ends. */
function makeFifo(path: string): void {
  execFileSync("mkfifo", [path]);
  onTestFinished(() => {
    if (!isFifo(path)) return;
    closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
  });
}

function isFifo(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** A foreign directory with files that a run would remove from its own. */
function foreignDirectory(): string {
  const directory = join(temporaryDirectory(), "foreign");
  mkdirSync(join(directory, "incoming"), { recursive: true });
  writeFileSync(join(directory, "incoming", "0-1.json"), "theirs");
  writeFileSync(join(directory, "partition-00001.json"), "theirs as well");
  return directory;
}

function open(out: string, compression: Compression = "none"): Promise<PartialSnapshot> {
  return PartialSnapshot.open({ out, timestamp, compression, numPartitions: 1 });
}

describe("a link instead of the partial directory", () => {
  const refusal = { name: "SnapshotError", code: "disk", message: expect.stringContaining("remove it") };

  it("is rejected, and its target is not changed", async () => {
    const out = temporaryDirectory();
    const foreign = foreignDirectory();
    const before = digestsIn(foreign);
    symlinkSync(foreign, join(out, partialName));
    await expect(open(out)).rejects.toMatchObject(refusal);
    expect(digestsIn(foreign)).toEqual(before);
    expect(lstatSync(join(out, partialName)).isSymbolicLink()).toBe(true);
  });

  it("is rejected if it is dangling, and its target is not created", async () => {
    const out = temporaryDirectory();
    const nowhere = join(temporaryDirectory(), "nowhere");
    symlinkSync(nowhere, join(out, partialName));
    await expect(open(out)).rejects.toMatchObject(refusal);
    expect(existsSync(nowhere)).toBe(false);
  });

  it("is replaced if it stands for the directory of incoming files", async () => {
    const out = temporaryDirectory();
    const foreign = foreignDirectory();
    const before = digestsIn(foreign);
    mkdirSync(join(out, partialName));
    symlinkSync(join(foreign, "incoming"), join(out, partialName, "incoming"));
    const partial = await open(out);
    writeFileSync(partial.incomingPath(0, asPartition(1)), "ours");
    expect(digestsIn(foreign)).toEqual(before);
    expect(lstatSync(join(out, partialName, "incoming")).isDirectory()).toBe(true);
  });
});

describe("an unexpected entry instead of the lock", () => {
  const refusal = {
    name: "SnapshotError",
    code: "disk",
    message: expect.stringContaining("not a regular file"),
  };

  it("is rejected if it is a link, and its target is not changed", async () => {
    const path = join(temporaryDirectory(), "lock");
    const target = join(temporaryDirectory(), "theirs");
    writeFileSync(target, "theirs");
    symlinkSync(target, path);
    await expect(acquireRunLock(path)).rejects.toMatchObject(refusal);
    expect(readFileSync(target, "utf8")).toBe("theirs");
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(isThere(`${path}.holder`)).toBe(false);
  });

  it("is rejected if it is a dangling link, and its target is not created", async () => {
    const path = join(temporaryDirectory(), "lock");
    const nowhere = join(temporaryDirectory(), "nowhere");
    symlinkSync(nowhere, path);
    await expect(acquireRunLock(path)).rejects.toMatchObject(refusal);
    expect(existsSync(nowhere)).toBe(false);
  });

  it.each([
    { id: "a FIFO", make: makeFifo },
    { id: "a directory", make: (path: string) => mkdirSync(path) },
  ])(
    "is rejected if it is $id",
    async ({ make }) => {
      const path = join(temporaryDirectory(), "lock");
      make(path);
      await expect(acquireRunLock(path)).rejects.toMatchObject(refusal);
      expect(isThere(path)).toBe(true);
    },
    timeoutMs,
  );
});

describe("an unexpected entry instead of the lock's holder file", () => {
  const told = expect.stringContaining(`process ${process.pid} on `) as unknown;

  it.each([
    { id: "a link to a file", targetOf: (foreign: string) => join(foreign, "partition-00001.json") },
    { id: "a link to a directory", targetOf: (foreign: string) => foreign },
    { id: "a dangling link", targetOf: (foreign: string) => join(foreign, "nowhere") },
  ])("is replaced if it is $id, whose target is not changed", async ({ targetOf }) => {
    const path = join(temporaryDirectory(), "lock");
    const foreign = foreignDirectory();
    const before = digestsIn(foreign);
    symlinkSync(targetOf(foreign), `${path}.holder`);
    const lock = await acquireRunLock(path);
    expect(lstatSync(`${path}.holder`).isFile()).toBe(true);
    expect(readFileSync(`${path}.holder`, "utf8")).toEqual(told);
    await lock.release();
    expect(digestsIn(foreign)).toEqual(before);
  });

  it(
    "is replaced if it is a FIFO",
    async () => {
      const path = join(temporaryDirectory(), "lock");
      makeFifo(`${path}.holder`);
      const lock = await acquireRunLock(path);
      expect(readFileSync(`${path}.holder`, "utf8")).toEqual(told);
      await lock.release();
    },
    timeoutMs,
  );
});

const text = '[{"accountId":"0000"}]';
const hash = hashText(text);
const compressions = [
  { compression: "none" as const, file: "partition-00001.json" },
  { compression: "gzip" as const, file: "partition-00001.json.gz" },
];

/** The bytes of an artifact that a run writes. */
async function accepted(partial: PartialSnapshot): Promise<void> {
  const incoming = partial.incomingPath(0, asPartition(1));
  writeFileSync(incoming, text);
  await partial.accept(asPartition(1), incoming);
}

describe.each(compressions)("an artifact of an earlier run ($compression)", ({ compression, file }) => {
  it("is resumed if it is a file", async () => {
    const partial = await open(temporaryDirectory(), compression);
    await accepted(partial);
    expect(await partial.resume(asPartition(1), hash)).toMatchObject({ hash });
  });

  it("is not resumed if it is a link, even to the right bytes, and the target is not changed", async () => {
    const source = await open(temporaryDirectory(), compression);
    await accepted(source);
    const right = join(source.directory, file);
    const before = readFileSync(right);
    const partial = await open(temporaryDirectory(), compression);
    const artifact = join(partial.directory, file);
    symlinkSync(right, artifact);
    expect(await partial.resume(asPartition(1), hash)).toBeUndefined();
    expect(isThere(artifact)).toBe(false);
    expect(digestOf(readFileSync(right))).toBe(digestOf(before));
  });

  it("is not resumed if it is a link to a directory, which is not changed", async () => {
    const foreign = foreignDirectory();
    const before = digestsIn(foreign);
    const partial = await open(temporaryDirectory(), compression);
    symlinkSync(foreign, join(partial.directory, file));
    expect(await partial.resume(asPartition(1), hash)).toBeUndefined();
    expect(isThere(join(partial.directory, file))).toBe(false);
    expect(digestsIn(foreign)).toEqual(before);
  });

  it.each([
    { id: "a FIFO", make: makeFifo },
    { id: "a directory", make: (path: string) => mkdirSync(path) },
  ])(
    "is not resumed if it is $id, which is removed",
    async ({ make }) => {
      const partial = await open(temporaryDirectory(), compression);
      make(join(partial.directory, file));
      expect(await partial.resume(asPartition(1), hash)).toBeUndefined();
      expect(isThere(join(partial.directory, file))).toBe(false);
    },
    timeoutMs,
  );
});

describe("a published snapshot", () => {
  const file = "export-manifest.json";
  const artifact = "partition-00001.json";

  it("is read if its files are regular", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, file), "{}");
    writeFileSync(join(directory, artifact), text);
    const snapshot = new SnapshotDirectory(directory);
    expect(String(await snapshot.readBytes(file))).toBe("{}");
    expect(await snapshot.scan(artifact, DEFAULT_HASH_KEY)).toMatchObject({ hash });
  });

  it.each([
    { id: "a FIFO", make: makeFifo },
    {
      id: "a link to a file",
      make: (path: string) => {
        const target = join(temporaryDirectory(), "target");
        writeFileSync(target, path.endsWith(".gz") ? gzipSync(text) : text);
        symlinkSync(target, path);
      },
    },
    { id: "a link to an endless device", make: (path: string) => symlinkSync("/dev/zero", path) },
    { id: "a directory", make: (path: string) => mkdirSync(path) },
  ])(
    "is not read if a file is $id",
    async ({ make }) => {
      const directory = temporaryDirectory();
      const names = [file, artifact, `${artifact}.gz`];
      for (const name of names) make(join(directory, name));
      const snapshot = new SnapshotDirectory(directory);
      await expect(snapshot.readBytes(file)).rejects.toThrow("it is not a regular file");
      for (const name of names.slice(1)) {
        await expect(snapshot.scan(name, DEFAULT_HASH_KEY)).rejects.toThrow("it is not a regular file");
      }
      expect(readdirSync(directory).sort()).toEqual(names.sort());
    },
    timeoutMs,
  );
});
