/** Tells a list of gossip messages, `{"messages":[…]}`, from a single message (PROTOCOL.md, Partition gossip). */

const listStart = /^\s*\{\s*"messages"\s*:/;
const startBytesMax = 64;

/** @param body the text, or its beginning */
export function isMessageList(body: Buffer): boolean {
  return listStart.test(body.toString("latin1", 0, startBytesMax));
}
