/** Splits the body of a push into its messages, each as received, and reports what was done with them. */

import type { Admission } from "../../../agreement/admission/admission.ts";
import { RecordFramer } from "../../../canonical/record-framer.ts";
import { ResponseError } from "../../../errors/response-error.ts";
import { HttpError } from "../../../http-server/http-error.ts";
import { gossipMessageBytesMax } from "../../../limits/gossip.ts";
import { isMessageList } from "../../../wire/message-list.ts";
import { gossipMessagesPerPushMax } from "../../limits.ts";

/** The response to a push. */
export interface PushOutcome {
  readonly taken: number;
  readonly known: number;
  readonly refused: number;
}

/**
 * Splits a pushed body into its messages: one, or a list of them.
 *
 * @throws HttpError with status 400 where the list is malformed or too long
 */
export function messagesIn(body: Buffer): readonly Buffer[] {
  if (!isMessageList(body)) return [body];
  const framer = new RecordFramer("messages", { recordBytesMax: gossipMessageBytesMax });
  let messages: Buffer[];
  try {
    messages = framer.push(body);
    framer.end();
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    throw new HttpError(400, `messages: ${error.message}`);
  }
  if (messages.length > gossipMessagesPerPushMax) {
    throw new HttpError(400, `messages: more than ${gossipMessagesPerPushMax}`);
  }
  return messages;
}

/** The count of the outcome that a message belongs to. */
export function countOf(admission: Admission): keyof PushOutcome {
  switch (admission.kind) {
    case "new":
    case "equivocation":
      return "taken";
    case "duplicate":
      return "known";
    case "rejected":
      return "refused";
  }
}
