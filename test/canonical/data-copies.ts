/** The copies of a response with one account: by this program's reader, and by the network's own code. */

import { expect } from "vitest";
import { makeShard } from "../../src/protocol/shard.ts";
import { readFast } from "../artifact/outcome.ts";
import { networkText } from "../protocol/network-text.ts";

const shard = makeShard({ numNodes: 4 });
const id = "0f".repeat(32);

/**
 * @param data as JSON
 * @returns `undefined` if the response is refused
 */
export function copiesOf(data: string): string[] | undefined {
  const record = `{"accountId":"${id}","stateId":"aa","data":${data},"timestamp":12}`;
  const { copies, error } = readFast([Buffer.from(`{"snapshot":[${record}]}`)], shard);
  if (error === undefined) return copies;
  expect(error).toMatch(/^ResponseError malformed: /);
  return undefined;
}

export function networkCopiesOf(data: string): string[] | undefined {
  const canonical = networkText(data);
  if (canonical === undefined) return undefined;
  // Data that is already text is copied unchanged.
  const text = data.startsWith('"') ? (JSON.parse(data) as string) : canonical;
  const copy = `{"accountId":"${id}","data":${JSON.stringify(text)},"hash":"aa","isGlobal":0,"timestamp":12}`;
  return [`0: ${Buffer.from(copy).toString("latin1")}`];
}
