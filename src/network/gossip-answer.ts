/** Reads a node's answer to a request for gossip (PROTOCOL.md, Partition gossip), message by message. */

import { AnswerError } from "../merge/answer-error.ts";
import { RecordFramer } from "../merge/record-framer.ts";
import { gossipAnswerBytesMax, gossipMessageBytesMax, gossipUselessMax } from "../model/limits.ts";

/**
 * @param take is given each message as received, and answers whether an honest node would pass it on
 * @throws AnswerError; and whatever reading the chunks throws
 */
export async function readGossipAnswer(
  chunks: AsyncIterable<Buffer>,
  take: (text: string) => boolean,
): Promise<void> {
  const framer = new RecordFramer("messages", { recordBytesMax: gossipMessageBytesMax });
  let bytes = 0;
  let useless = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > gossipAnswerBytesMax) {
      throw new AnswerError("too-large", `more than ${gossipAnswerBytesMax} bytes of gossip`);
    }
    for (const record of framer.push(chunk)) {
      if (!take(record.toString("utf8"))) useless++;
      if (useless > gossipUselessMax) {
        throw new AnswerError("malformed", `more than ${gossipUselessMax} messages that do not count`);
      }
    }
  }
  framer.end();
}
