import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** What changes the state of its process: a mocked module or method, a failing call of the file system, a umask. */
const changesProcess = /\bvi\.(mock|spyOn|stub\w+)\(|\bfailCalls\(|\bprocess\.(umask|chdir)\(/;

/** Test files that need a process of their own. */
const alone = readdirSync("test", { recursive: true, encoding: "utf8" })
  .map((file) => `test/${file}`)
  .filter((file) => file.endsWith(".test.ts") && changesProcess.test(readFileSync(file, "utf8")));

// They take minutes: `npm run test:long`. Others need the published archiver: `npm run test:archiver`.
const separate = ["test/live/**", "test/**/*.long.test.ts", "test/published-archiver/**"];

export default defineConfig({
  test: {
    globalSetup: "test/helpers/build.ts",
    projects: [
      // Imports take half the time of most tests: the files of a worker share them.
      {
        extends: true,
        test: {
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: [...separate, ...alone],
          isolate: false,
        },
      },
      { extends: true, test: { name: "alone", include: alone, exclude: separate } },
    ],
    // Whole runs wait for processes and timers of their own: two workers more than there are cores to fill the gaps.
    maxWorkers: 4,
    // Of the code that runs in vitest: `dist` in threads, child processes and WebAssembly is not counted.
    coverage: { provider: "v8", include: ["src/**/*.ts"], reporter: ["text", "html"] },
    // Generous for a busy machine, short enough to show a hang.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
