/**
 * Has calls of the file system fail with the system's own errors, for those that no real disk can be made to give in
 * a test: EIO, EMFILE, EROFS. Every import of `node:fs/promises` sees it, until the test is over.
 */

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { constants } from "node:os";
import { onTestFinished } from "vitest";

type Call = "open" | "rename" | "rm" | "readdir" | "writeFile" | "link" | "lstat";

/**
 * @param isMet whether a call with that path is to fail
 * @param ofDescriptor a call on an open file that fails instead: the system's error names no path then
 * @returns ends it
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
 * Has a method of open files fail, whose errors name no path.
 *
 * @param isMet whether that of the file opened by this path is to fail
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
