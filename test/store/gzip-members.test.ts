import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { scanArtifact } from "../../src/store/scan-artifact.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

it("an artifact with a second gzip member cannot be read", async () => {
  const member = gzipSync("[]");
  member[9] = 0xff;
  const path = join(temporaryDirectory(), "artifact");
  writeFileSync(path, Buffer.concat([member, gzipSync("")]));
  await expect(scanArtifact(path, "gzip", DEFAULT_HASH_KEY)).rejects.toThrow();
});
