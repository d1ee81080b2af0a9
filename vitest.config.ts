import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They need the published archiver: `npm run test:archiver`.
    exclude: ["test/published-archiver/**"],
    // Whole runs start processes of their own: more workers than cores only slow one another.
    maxWorkers: 2,
    // Generous for a busy machine, short enough to show a hang.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
