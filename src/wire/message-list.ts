/** Distinguishes a list of gossip messages, `{"messages":[…]}`, from a single one (PROTOCOL.md, Partition gossip). */

const listStart = /^\s*\{\s*"messages"\s*:/;
const startBytesMax = 64;

/**
 * Returns whether a body is a list of messages.
 *
 * @param body the text, or its beginning
 */
export function isMessageList(body: Buffer): boolean {
  return listStart.test(body.toString("latin1", 0, startBytesMax));
}
