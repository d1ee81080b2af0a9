import { defineConfig } from "vitest/config";

/**
 * Live clusters, whose cycles pass in real time; the faults that the simulator has to find; mirrors; the paging of
 * restarting validators; exports, resumed archivers, and restores that are killed or damaged at every step, each in
 * several processes.
 */
export default defineConfig({
  test: {
    globalSetup: "test/helpers/build.ts",
    include: ["test/live/**/*.test.ts", "test/**/*.long.test.ts"],
    // A cluster has up to ten processes: on a busy machine, two of them miss their cycles.
    maxWorkers: 1,
    testTimeout: 240_000,
    hookTimeout: 60_000,
  },
});
