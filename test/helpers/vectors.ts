import { readFileSync } from "node:fs";

/** The cases of a file of `test/vectors/`: what the network's own code answers. */
export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8")) as T;
}
