/** A collector whose database file is removed would write to a file that no process can open again. */

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { collect } from "../../src/app/collect.ts";
import type { CollectEvent } from "../../src/collect/reporter.ts";
import { collectOptions } from "./running-collector.ts";
import { testNetwork } from "./test-network.ts";

const changes: { what: string; change: (path: string) => void; said: string }[] = [
  { what: "removed", change: (path) => rmSync(path), said: "was removed" },
  { what: "moved away", change: (path) => renameSync(path, `${path}.old`), said: "was removed" },
  {
    what: "replaced",
    change: (path) => {
      writeFileSync(`${path}.new`, "");
      renameSync(`${path}.new`, path);
    },
    said: "was replaced by another file",
  },
];

describe("a collector", () => {
  it.each(changes)("ends with the code disk if its database is $what", async ({ change, said }) => {
    const options = collectOptions(await testNetwork(), { pollMs: 50 });
    const reporter = {
      report: ({ type }: CollectEvent) => (type === "listening" ? change(options.database) : undefined),
    };
    await expect(collect({ ...options, reporter })).rejects.toMatchObject({
      code: "disk",
      message: expect.stringContaining(said),
    });
  });
});
