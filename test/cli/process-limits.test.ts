/** A process that reaches a limit of the system ends with its own status, and names the limit. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { peerError } from "../../src/fetch/http/peer-error.ts";
import { builtFile } from "../helpers/built.ts";

const command = fileURLToPath(new URL("../../bin/snapshot-assemble.js", import.meta.url));

function verifyWithOpenFiles(limit: number) {
  builtFile("cli/main.js");
  const args = [command, "verify", "/nowhere"];
  const script = `ulimit -n ${limit}; exec "$@"`;
  const { status, stderr } = spawnSync("sh", ["-c", script, "sh", process.execPath, ...args], {
    encoding: "utf8",
  });
  return { status, stderr };
}

it("a limit of 24 open files ends with status 12 and names the limit", () => {
  const { status, stderr } = verifyWithOpenFiles(24);
  expect({ status, stderr }).toMatchObject({ status: 12, stderr: expect.stringContaining("ulimit -n") });
  expect(stderr).not.toMatch(/^\s+at /m);
});

it("64 open files are enough to load the verify command", () => {
  expect(verifyWithOpenFiles(64)).toMatchObject({ status: 10 });
});

it("a connection that a limit of this process prevents is not a fault of the peer", () => {
  const error = Object.assign(new Error("connect EMFILE"), { code: "EMFILE" });
  expect(peerError(error)).toMatchObject({ name: "SnapshotError", code: "disk" });
});
