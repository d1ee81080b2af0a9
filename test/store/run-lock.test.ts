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

/** A process that holds the lock until it is killed. */
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
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  expect(String(said)).toBe("held");
  return child;
}

describe("the lock of a snapshot", () => {
  it("is refused to a second holder, who is told who has it", async () => {
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

  it("can be had again after it was released, and leaves nothing", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "lock");
    for (let time = 0; time < 3; time++) await (await acquireRunLock(path)).release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is not that of another snapshot", async () => {
    const directory = temporaryDirectory();
    const one = await acquireRunLock(join(directory, "one"));
    const other = await acquireRunLock(join(directory, "other"));
    await Promise.all([one.release(), other.release()]);
  });

  it("has one holder at a time, however many ask for it", async () => {
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

  it("is kept by another process while it lives, and not when it was killed", async () => {
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

  it("has no other files than its own, and removes those of killed runs", async () => {
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

  it("is exclusive, or is none: a file that is open only to be read cannot be locked", () => {
    const path = join(temporaryDirectory(), "lock");
    writeFileSync(path, "");
    const database = new Database(`${pathToFileURL(path).href}?mode=ro`, {});
    onTestFinished(() => void database.close());
    expect(() => takeExclusive(database)).toThrow(expect.objectContaining({ code: "SQLITE_READONLY" }));
  });

  describe.each(["SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR_LOCK"])(
    "whose file SQLite cannot use (%s)",
    (code) => {
      const cannot = () => {
        throw Object.assign(new Error("unable to open database file"), { code });
      };

      it("is tried again where others can be opened", async () => {
        const directory = temporaryDirectory();
        let times = 0;
        const take = (database: Database.Database) => (times++ === 0 ? cannot() : takeExclusive(database));
        await (await acquireRunLock(join(directory, "lock"), take)).release();
        expect(times).toBe(2);
        expect(readdirSync(directory)).toEqual([]);
      });

      it("fails with the system's error where no other can be opened", async () => {
        failCalls("writeFile", "EMFILE", (path) => path.includes("probe"));
        await expect(acquireRunLock(join(temporaryDirectory(), "lock"), cannot)).rejects.toMatchObject({
          code: "disk",
          message: expect.stringContaining("EMFILE"),
          hint: expect.stringContaining("ulimit -n"),
        });
      });

      it("fails with SQLite's error where others can be opened every time", async () => {
        await expect(acquireRunLock(join(temporaryDirectory(), "lock"), cannot)).rejects.toMatchObject({
          code: "disk",
          message: expect.stringContaining("unable to open database file"),
        });
      });
    },
  );

  it("says which file could not be written", async () => {
    const path = join(temporaryDirectory(), "lock");
    failCalls("writeFile", "EIO", (written) => written.endsWith(".holder"), "write");
    await expect(acquireRunLock(path)).rejects.toMatchObject({
      code: "disk",
      message: `cannot write ${path}.holder: EIO: injected, write`,
    });
  });

  it("is not held by what a dead process has left", async () => {
    const path = join(temporaryDirectory(), "lock");
    writeFileSync(path, "");
    writeFileSync(`${path}.holder`, "process 1 on another machine");
    await (await acquireRunLock(path)).release();
  });

  it("that is another file is a failure of the disk, which says what to remove", async () => {
    const path = join(temporaryDirectory(), "lock");
    writeFileSync(path, "garbage ".repeat(1_000));
    await expect(acquireRunLock(path)).rejects.toMatchObject({
      code: "disk",
      hint: expect.stringContaining(`remove ${path}`),
    });
  });

  it("on a file system that has none is a failure of the disk, and of no other run", async () => {
    const directory = temporaryDirectory();
    // What SQLite makes of ENOLCK.
    const take = () => {
      throw Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
    };
    await expect(acquireRunLock(join(directory, "lock"), take)).rejects.toMatchObject({
      code: "disk",
      message: expect.stringContaining("takes no locks"),
    });
    expect(readdirSync(directory)).toEqual(["lock"]);
  });

  it("is released even where its files cannot be removed", async () => {
    const path = join(temporaryDirectory(), "lock");
    const lock = await acquireRunLock(path);
    const end = failCalls("rm", "EROFS", () => true);
    expect(await lock.release()).toMatchObject({ code: "disk" });
    end();
    expect(await (await acquireRunLock(path)).release()).toBeUndefined();
  });

  it("that cannot be had at all is a failure of the disk", async () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    await expect(acquireRunLock(join(file, "lock"))).rejects.toMatchObject({
      name: "SnapshotError",
      code: "disk",
    });
  });
});
