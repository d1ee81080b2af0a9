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
 * @returns ends it
 */
export function failCalls(call: Call, code: keyof typeof constants.errno, isMet: (path: string) => boolean) {
  const promises = fs.promises as unknown as Record<Call, (...args: unknown[]) => Promise<unknown>>;
  const original = promises[call];
  promises[call] = (...args) => {
    const path = String(args[0]);
    if (!isMet(path)) return original.apply(promises, args);
    const error = new Error(`${code}: injected, ${call} '${path}'`);
    return Promise.reject(Object.assign(error, { code, errno: -constants.errno[code], syscall: call, path }));
  };
  syncBuiltinESMExports();
  const end = () => {
    promises[call] = original;
    syncBuiltinESMExports();
  };
  onTestFinished(end);
  return end;
}
