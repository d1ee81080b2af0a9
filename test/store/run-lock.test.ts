import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import { acquireRunLock, takeExclusive } from "../../src/store/run-lock.ts";
import { builtFile } from "../helpers/built.ts";
import { failCalls } from "../helpers/failing-disk.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

/** Starts a process that holds the lock until it is killed. */
async function holderOf(path: string): Promise<ChildProcess> {
  const module = JSON.stringify(pathToFileURL(builtFile("store/run-lock.js")).href);
  const script = `
    const { acquireRunLock } = await import(${module});
    await acquireRunLock(${JSON.stringify(path)});
    process.stdout.write("held");
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  expect(String(output)).toBe("held");
  return child;
}

describe("the lock of a snapshot", () => {
  it("is refused to a second run with an error that names the holder", async () => {
    const path = join(temporaryDirectory(), "new", "lock");
    const lock = await acquireRunLock(path);
    await expect(acquireRunLock(path)).rejects.toMatchObject({
      name: "SnapshotError",
      code: "locked",
      message: expect.stringContaining(`process ${process.pid} on `),
      hint: expect.stringContaining("--out"),
    });
    await lock.release();
  });

  it("can be taken again after its release, which leaves no files", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "lock");
    for (let time = 0; time < 3; time++) await (await acquireRunLock(path)).release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is independent of another snapshot's", async () => {
    const directory = temporaryDirectory();
    const one = await acquireRunLock(join(directory, "one"));
    const other = await acquireRunLock(join(directory, "other"));
    await Promise.all([one.release(), other.release()]);
  });

  it("has one holder at a time under contention", async () => {
    const path = join(temporaryDirectory(), "lock");
    let holders = 0;
    let most = 0;
    let turns = 0;
    const contend = async () => {
      for (let attempt = 0; attempt < 400 && turns < 40; attempt++) {
        const lock = await acquireRunLock(path).catch((error: { code?: string }) => {
          if (error.code !== "locked") throw error;
        });
        if (lock === undefined) {
          await sleep(1);
          continue;
        }
        most = Math.max(most, ++holders);
        turns++;
        await sleep(1);
        holders--;
        await lock.release();
      }
    };
    await Promise.all(Array.from({ length: 6 }, contend));
    expect(most).toBe(1);
    expect(turns).toBeGreaterThanOrEqual(40);
  });

  it("is held by another process until that is killed", async () => {
    const path = join(temporaryDirectory(), "lock");
    const holder = await holderOf(path);
    await expect(acquireRunLock(path)).rejects.toMatchObject({
      code: "locked",
      message: expect.stringContaining(`process ${holder.pid} on `),
    });
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await (await acquireRunLock(path)).release();
  });

  it("removes the files of killed runs, and leaves none of its own", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "lock");
    const lock = await acquireRunLock(path);
    expect(readdirSync(directory).sort()).toEqual(["lock", "lock.holder"]);
    for (const name of ["lock-journal", "lock.probe-1", "lock.probe-1-journal", "lock.other"]) {
      writeFileSync(join(directory, name), "");
    }
    await lock.release();
    expect(readdirSync(directory)).toEqual(["lock.other"]);
  });

  it("cannot be taken on a file that is open only for reading", () => {
    const path = join(temporaryDirectory(), "lock");
    writeFileSync(path, "");
    const database = new Database(`${pathToFileURL(path).href}?mode=ro`, {});
    onTestFinished(() => void database.close());
    expect(() => takeExclusive(database)).toThrow(expect.objectContaining({ code: "SQLITE_READONLY" }));
  });

  describe.each(["SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR_LOCK"])(
    "on a file that SQLite cannot use (%s)",
    (code) => {
      const cannot = () => {
        throw Object.assign(new Error("unable to open database file"), { code });
      };

      it("is tried again if other files can be opened", async () => {
        const directory = temporaryDirectory();
        let times = 0;
        const take = (database: Database.Database) => (times++ === 0 ? cannot() : takeExclusive(database));
        await (await acquireRunLock(join(directory, "lock"), take)).release();
        expect(times).toBe(2);
        expect(readdirSync(directory)).toEqual([]);
      });

      it("fails with the system's error if no other file can be opened", async () => {
        failCalls("writeFile", "EMFILE", (path) => path.includes("probe"));
        await expect(acquireRunLock(join(temporaryDirectory(), "lock"), cannot)).rejects.toMatchObject({
          code: "disk",
          message: expect.stringContaining("EMFILE"),
          hint: expect.stringContaining("ulimit -n"),
        });
      });

      it("fails with SQLite's error if other files can be opened at every attempt", async () => {
        await expect(acquireRunLock(join(temporaryDirectory(), "lock"), cannot)).rejects.toMatchObject({
          code: "disk",
          message: expect.stringContaining("unable to open database file"),
        });
      });
    },
  );

  it("fails with an error that names the file that could not be written", async () => {
    const path = join(temporaryDirectory(), "lock");
    failCalls("writeFile", "EIO", (written) => written.endsWith(".holder"), "write");
    await expect(acquireRunLock(path)).rejects.toMatchObject({
      code: "disk",
      message: `cannot write ${path}.holder: EIO: injected, write`,
    });
  });

  it("is not held by the files of a dead process", async () => {
    const path = join(temporaryDirectory(), "lock");
    writeFileSync(path, "");
    writeFileSync(`${path}.holder`, "process 1 on another machine");
    await (await acquireRunLock(path)).release();
  });

  it("fails with the code disk and names the file to remove if that is not a lock", async () => {
    const path = join(temporaryDirectory(), "lock");
    writeFileSync(path, "garbage ".repeat(1_000));
    await expect(acquireRunLock(path)).rejects.toMatchObject({
      code: "disk",
      hint: expect.stringContaining(`remove ${path}`),
    });
  });

  it("fails with the code disk, not locked, on a file system without locks", async () => {
    const directory = temporaryDirectory();
    // SQLite's error for ENOLCK.
    const take = () => {
      throw Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
    };
    await expect(acquireRunLock(join(directory, "lock"), take)).rejects.toMatchObject({
      code: "disk",
      message: expect.stringContaining("does not support locks"),
    });
    expect(readdirSync(directory)).toEqual(["lock"]);
  });

  it("is released even if its files cannot be removed", async () => {
    const path = join(temporaryDirectory(), "lock");
    const lock = await acquireRunLock(path);
    const end = failCalls("rm", "EROFS", () => true);
    expect(await lock.release()).toMatchObject({ code: "disk" });
    end();
    expect(await (await acquireRunLock(path)).release()).toBeUndefined();
  });

  it("fails with the code disk if its directory cannot be made", async () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    await expect(acquireRunLock(join(file, "lock"))).rejects.toMatchObject({
      name: "SnapshotError",
      code: "disk",
    });
  });
});
