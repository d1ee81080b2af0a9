import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "test/helpers/build.ts",
    include: ["test/**/*.test.ts"],
    // They need the published archiver: `npm run test:archiver`.
    exclude: ["test/published-archiver/**"],
    // Whole runs wait for processes and timers of their own: one worker more than there are cores to fill the gaps.
    maxWorkers: 3,
    // Of the code that runs in vitest: `dist` in threads, child processes and WebAssembly is not counted.
    coverage: { provider: "v8", include: ["src/**/*.ts"], reporter: ["text", "html"] },
    // Generous for a busy machine, short enough to show a hang.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
