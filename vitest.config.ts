import { defineConfig } from "vitest/config";

/** Tests of pure functions and of servers that a test starts: they change no state of the process. */
const units = [
  ...["agreement", "canonical", "errors", "events", "format", "limits", "options", "protocol", "sync"],
  ...["trust", "ui", "verify/evidence", "verify/files", "verify/findings", "wire"],
].map((folder) => `test/${folder}/**/*.test.ts`);

// They need the published archiver: `npm run test:archiver`.
const separate = ["test/published-archiver/**"];

export default defineConfig({
  test: {
    globalSetup: "test/helpers/build.ts",
    projects: [
      // Imports take half the time of such tests: the files of a worker share them.
      { extends: true, test: { name: "units", include: units, exclude: separate, isolate: false } },
      {
        extends: true,
        test: { name: "runs", include: ["test/**/*.test.ts"], exclude: [...separate, ...units] },
      },
    ],
    // Whole runs wait for processes and timers of their own: one worker more than there are cores to fill the gaps.
    maxWorkers: 3,
    // Of the code that runs in vitest: `dist` in threads, child processes and WebAssembly is not counted.
    coverage: { provider: "v8", include: ["src/**/*.ts"], reporter: ["text", "html"] },
    // Generous for a busy machine, short enough to show a hang.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
