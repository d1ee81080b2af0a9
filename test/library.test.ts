import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The last line that a script of another process prints, which loads the package by its name. */
function run(kind: "commonjs" | "module", script: string): string {
  const args = [`--input-type=${kind}`, "--eval", script];
  return execFileSync(process.execPath, args, { cwd: root, encoding: "utf8" }).trim();
}

const emptyHash = "78c7d4bfca718a92b57a31832c1c8460f43dee960b5f4cf4bbdae3bcce2deb6d";

describe("the package", () => {
  it("can be loaded with require(), as CommonJS programs do", () => {
    const script = `const { hashText, assemble } = require("snapshot-assemble"); console.log(hashText("[]"), typeof assemble)`;
    expect(run("commonjs", script)).toBe(`${emptyHash} function`);
  });

  it("can be loaded with import", () => {
    const script = `import { hashText, assemble } from "snapshot-assemble"; console.log(hashText("[]"), typeof assemble)`;
    expect(run("module", script)).toBe(`${emptyHash} function`);
  });
});
