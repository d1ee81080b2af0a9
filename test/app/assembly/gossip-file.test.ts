import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { GossipFile } from "../../../src/app/assembly/gossip-file.ts";
import { gossipMessageBytesMax } from "../../../src/limits/gossip.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";

async function messagesIn(content: string): Promise<string[]> {
  const path = join(temporaryDirectory(), "gossip");
  writeFileSync(path, content);
  const messages: string[] = [];
  for await (const message of new GossipFile(path)) messages.push(message);
  return messages;
}

const large = `{"a":"${"x".repeat(100_000)}"}`;
const tooLarge = `{"a":"${"x".repeat(gossipMessageBytesMax)}"}`;

describe("a file of gossip", () => {
  it.each([
    {
      id: "messages under their key",
      content: '{"messages":[{"a": 1.0},\n{"b":2}]}',
      messages: ['{"a": 1.0}', '{"b":2}'],
    },
    { id: "a bare list", content: ' [{"a":1} , {"b":2}]\n', messages: ['{"a":1}', '{"b":2}'] },
    { id: "one message a line", content: '{"a":1}\r\n\n{"b":2}', messages: ['{"a":1}\r', '{"b":2}'] },
    { id: "large messages in a list", content: `[${large},${large}]`, messages: [large, large] },
    { id: "large messages, one a line", content: `${large}\n${large}\n`, messages: [large, large] },
    {
      id: "a list with a message that is too long",
      content: `[{"a":1},${tooLarge},{"b":2}]`,
      messages: ['{"a":1}', '{"b":2}', "…"],
    },
    {
      id: "a line that is too long",
      content: `{"a":1}\n${tooLarge}\n{"b":2}`,
      messages: ['{"a":1}', "…", '{"b":2}'],
    },
    {
      id: "a line that is not a message",
      content: '{"a":1}\noops\n{"b":2}',
      messages: ['{"a":1}', "oops", '{"b":2}'],
    },
    { id: "nothing", content: "", messages: [] },
    { id: "no messages", content: '{"messages":[]}', messages: [] },
  ])("can contain $id", async ({ content, messages }) => {
    expect(await messagesIn(content)).toEqual(messages);
  });

  it.each([
    { id: "text", content: "no gossip at all\nnor here" },
    { id: "half a list", content: '[{"a":1},' },
    { id: "a list of numbers", content: "[1,2]" },
  ])("that contains $id is a failure that names the file", async ({ content }) => {
    await expect(messagesIn(content)).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringMatching(/gossip is not a list of gossip messages: /),
      hint: expect.stringContaining("--gossip"),
    });
  });

  it("that is missing is a failure that names the file", async () => {
    const messages = new GossipFile(join(temporaryDirectory(), "missing"))[Symbol.asyncIterator]();
    await expect(messages.next()).rejects.toMatchObject({ code: "configuration" });
  });
});

describe("a pipe of gossip", () => {
  const messages = ['{"a":1}', '{"b":2}'];
  const pipe = () => {
    const path = join(temporaryDirectory(), "pipe");
    execFileSync("mkfifo", [path]);
    return path;
  };
  const read = async (file: GossipFile) => {
    const texts: string[] = [];
    for await (const text of file) texts.push(text);
    return texts;
  };

  it("is read once, and gives the same messages again", async () => {
    const path = pipe();
    const file = new GossipFile(path);
    const [first] = await Promise.all([read(file), writeFile(path, messages.join("\n"))]);
    expect(first).toEqual(messages);
    expect(await read(file)).toEqual(messages);
    expect(await read(file)).toEqual(messages);
  });

  it("that is too large to keep is a failure only at the second reading", async () => {
    const path = pipe();
    const file = new GossipFile(path, undefined, 10);
    const [first] = await Promise.all([read(file), writeFile(path, messages.join("\n"))]);
    expect(first).toEqual(messages);
    await expect(read(file)).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringMatching(/pipe cannot be read a second time: it is a pipe of more than 10 bytes/),
      hint: expect.stringContaining("--gossip"),
    });
  });
});
