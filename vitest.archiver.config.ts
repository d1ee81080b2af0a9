import { defineConfig } from "vitest/config";

/** Whole runs against the published archiver, which `test/published-archiver/install.sh` installs. */
export default defineConfig({
  test: {
    globalSetup: "test/helpers/build.ts",
    include: ["test/published-archiver/**/*.test.ts"],
    // Each test has an archiver, which is a process of its own.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
