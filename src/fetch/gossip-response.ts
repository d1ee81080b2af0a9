/** Reads a node's response to a request for gossip (PROTOCOL.md, Partition gossip), message by message. */

import { RecordFramer } from "../canonical/record-framer.ts";
import { ResponseError } from "../errors/response-error.ts";
import { gossipMessageBytesMax, gossipResponseBytesMax, gossipUnsignedMax } from "../limits/limits.ts";

/**
 * A message that is too long is passed over, and the rest is read: an honest node passes on whatever has a valid
 * signature.
 *
 * @param take is given each message as received, and returns whether an honest node would pass it on
 * @param messageBytesMax above which a message is passed over
 * @returns how many were passed over
 * @throws ResponseError; and whatever reading the chunks throws
 */
export async function readGossipResponse(
  chunks: AsyncIterable<Buffer>,
  take: (text: string) => boolean,
  messageBytesMax: number = gossipMessageBytesMax,
): Promise<number> {
  const framer = new RecordFramer("messages", { recordBytesMax: messageBytesMax, skipsLonger: true });
  let bytes = 0;
  let refused = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > gossipResponseBytesMax) {
      throw new ResponseError("too-large", `more than ${gossipResponseBytesMax} bytes of gossip`);
    }
    for (const record of framer.push(chunk)) {
      if (!take(record.toString("utf8"))) refused++;
      if (refused > gossipUnsignedMax) {
        throw new ResponseError(
          "malformed",
          `more than ${gossipUnsignedMax} messages that nobody has signed`,
        );
      }
    }
  }
  framer.end();
  return framer.skipped;
}
