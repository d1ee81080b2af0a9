/** The copies that an answer of one account comes to: read the fast way, and as the network's own code has them. */

import { expect } from "vitest";
import { makeShard } from "../../src/protocol/shard.ts";
import { readFast } from "../artifact/outcome.ts";
import { networkText } from "../protocol/network-text.ts";

const shard = makeShard({ numNodes: 4 });
const id = "0f".repeat(32);

/** @param data as JSON. `undefined` where the answer is refused. */
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
  // Data that is text already is copied as it is.
  const text = data.startsWith('"') ? (JSON.parse(data) as string) : canonical;
  const copy = `{"accountId":"${id}","data":${JSON.stringify(text)},"hash":"aa","isGlobal":0,"timestamp":12}`;
  return [`0: ${Buffer.from(copy).toString("latin1")}`];
}
