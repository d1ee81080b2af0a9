/** Gossip messages from a file: `{"messages":[…]}`, a bare list, or one message a line. */

import { readFile, stat } from "node:fs/promises";
import { Failure, messageOf } from "../model/failure.ts";
import { gossipFileBytesMax } from "../model/limits.ts";
import { parseJson, WireError } from "../wire/parse.ts";

/** @throws Failure `configuration` */
export async function readGossipFile(file: string): Promise<string[]> {
  try {
    const { size } = await stat(file);
    if (size > gossipFileBytesMax) throw new Error(`it has ${size} bytes, more than ${gossipFileBytesMax}`);
    return messagesOf(await readFile(file, "utf8"), file);
  } catch (error) {
    const problem = error instanceof WireError ? error.message : `cannot read ${file}: ${messageOf(error)}`;
    throw new Failure("configuration", problem, {
      cause: error,
      hint: "Correct the file given with --gossip.",
    });
  }
}

function messagesOf(text: string, file: string): string[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const isOneMessageALine = lines.every(
    (line) => /^\s*\{.*\}\s*$/.test(line) && !/^\s*\{\s*"messages"/.test(line),
  );
  if (isOneMessageALine) return lines;
  const value = parseJson(text, file);
  const list = Array.isArray(value) ? value : (value as { messages?: unknown } | null)?.messages;
  if (!Array.isArray(list)) throw new WireError(file, "expected gossip messages: a list, or one a line");
  return list.map((message) => JSON.stringify(message));
}
