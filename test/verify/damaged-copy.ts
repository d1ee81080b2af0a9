/** A copy of a snapshot that tests damage again and again: what a test has changed is put back, and nothing else. */

import { cpSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { filesIn } from "../app/run.ts";

export class DamagedCopy {
  readonly directory: string;
  readonly #original: string;
  /** Of files and directories. */
  readonly #names: ReadonlySet<string>;
  readonly #files: ReadonlyMap<string, Buffer>;

  /** @param directory is replaced */
  constructor(original: string, directory: string) {
    this.#original = original;
    this.directory = directory;
    this.#names = new Set(readdirSync(original, { recursive: true, encoding: "utf8" }));
    this.#files = filesIn(original);
    rmSync(directory, { recursive: true, force: true });
    cpSync(original, directory, { recursive: true });
  }

  /** Makes the files equal to those of the original again. */
  restore(): void {
    for (const name of readdirSync(this.directory, { recursive: true, encoding: "utf8" })) {
      if (!this.#names.has(name)) rmSync(join(this.directory, name), { recursive: true, force: true });
    }
    for (const [file, bytes] of this.#files) {
      const path = join(this.directory, file);
      if (existsSync(path) && lstatSync(path).isFile() && readFileSync(path).equals(bytes)) continue;
      rmSync(path, { recursive: true, force: true });
      cpSync(join(this.#original, file), path, { recursive: true });
    }
  }
}
