/** What a failure of the disk says. */

import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { diskError, isDiskFull, isReadError, systemCodeOf } from "../../src/errors/snapshot-error.ts";

function systemError(code: string, path?: string): Error {
  return Object.assign(new Error(`${code}: …`), path === undefined ? { code } : { code, path });
}

describe("a failure of the disk", () => {
  it.each([
    ["ENOSPC", "no space is left on the disk"],
    ["EDQUOT", "the user's disk quota is used up"],
  ])("names what is full, and suggests to free space: %s", (code, what) => {
    expect(diskError("cannot write /out/file", systemError(code))).toMatchObject({
      code: "disk",
      message: `cannot write /out/file: ${what}`,
      hint: expect.stringContaining("Free some space"),
    });
  });

  it("names the file that does not fit, once", () => {
    const error = systemError("ENOSPC", "/out/directory/file");
    expect(diskError("cannot complete /out/directory", error).message).toBe(
      "cannot complete /out/directory: no space is left on the disk for /out/directory/file",
    );
    expect(diskError("cannot write /out/directory/file", error).message).toBe(
      "cannot write /out/directory/file: no space is left on the disk",
    );
  });

  it("names the limit of open files", () => {
    expect(diskError("cannot read file", systemError("EMFILE")).hint).toContain("ulimit -n");
  });
});

describe("an error that Node has no name for", () => {
  const unknown = (errno: number) =>
    Object.assign(new Error(`Unknown system error ${errno}`), {
      code: `Unknown system error ${errno}`,
      errno,
    });

  it("has the system's code by its number", () => {
    const error = unknown(-constants.errno.EDQUOT);
    expect(systemCodeOf(error)).toBe("EDQUOT");
    expect(isDiskFull(error)).toBe(true);
  });

  it("is a read error even if its number has no name", () => {
    const error = unknown(-100_000);
    expect(systemCodeOf(error)).toBe("Unknown system error -100000");
    expect(isReadError(error)).toBe(true);
  });
});
