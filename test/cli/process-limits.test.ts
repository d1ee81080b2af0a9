/** A process that the system gives too little: its status says so, and names the limit. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { peerFailure } from "../../src/fetch/http/peer-failure.ts";
import { builtFile } from "../helpers/built.ts";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

it.each([24, 40])(
  "a limit of %i open files is named, with the status of the machine's own troubles",
  (limit) => {
    builtFile("cli/main.js");
    const args = [command, "verify", "/nowhere"];
    const script = `ulimit -n ${limit}; exec "$@"`;
    const { status, stderr } = spawnSync("sh", ["-c", script, "sh", process.execPath, ...args], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toMatchObject({ status: 12, stderr: expect.stringContaining("ulimit -n") });
    expect(stderr).not.toMatch(/^\s+at /m);
  },
);

it("a connection that our own limit prevents is no fault of the peer's", () => {
  const error = Object.assign(new Error("connect EMFILE"), { code: "EMFILE" });
  expect(peerFailure(error)).toMatchObject({ name: "Failure", code: "disk" });
});
