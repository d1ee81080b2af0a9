/**
 * Makes calls of the file system fail with errors that a test cannot provoke on a real disk: EIO, EMFILE, EROFS. The
 * failures affect every import of `node:fs/promises` until the test ends.
 */

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { constants } from "node:os";
import { onTestFinished } from "vitest";

type Call = "open" | "rename" | "rm" | "readdir" | "writeFile" | "link" | "lstat";

/**
 * Makes a function of `node:fs/promises` fail.
 *
 * @param isMet returns whether a call with that path fails
 * @param ofDescriptor reports the error as that of a call on an open file, whose error names no path
 * @returns the function that ends the failures
 */
export function failCalls(
  call: Call,
  code: keyof typeof constants.errno,
  isMet: (path: string) => boolean,
  ofDescriptor?: "write",
) {
  const promises = fs.promises as unknown as Record<Call, (...args: unknown[]) => Promise<unknown>>;
  const original = promises[call];
  promises[call] = (...args) => {
    const path = String(args[0]);
    if (!isMet(path)) return original.apply(promises, args);
    return Promise.reject(
      systemError(code, ofDescriptor ?? call, ofDescriptor === undefined ? path : undefined),
    );
  };
  syncBuiltinESMExports();
  const end = () => {
    promises[call] = original;
    syncBuiltinESMExports();
  };
  onTestFinished(end);
  return end;
}

/**
 * Makes a method of open files fail, whose errors name no path.
 *
 * @param isMet returns whether the method fails for the file opened with that path
 */
export function failHandles(
  method: "sync" | "read",
  code: keyof typeof constants.errno,
  isMet: (path: string) => boolean,
): void {
  const promises = fs.promises as { open: (...args: unknown[]) => Promise<fs.promises.FileHandle> };
  const original = promises.open;
  promises.open = async (...args) => {
    const handle = await original.apply(promises, args);
    if (isMet(String(args[0]))) handle[method] = () => Promise.reject(systemError(code, method, undefined));
    return handle;
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    promises.open = original;
    syncBuiltinESMExports();
  });
}

function systemError(code: keyof typeof constants.errno, syscall: string, path: string | undefined): Error {
  const error = new Error(`${code}: injected, ${syscall}${path === undefined ? "" : ` '${path}'`}`);
  return Object.assign(error, { code, errno: -constants.errno[code], syscall, path });
}
