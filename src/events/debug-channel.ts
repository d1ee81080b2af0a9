/**
 * Debug events, down to each request, on channels of node:diagnostics_channel. The command line prints them with
 * `--verbose` or `NODE_DEBUG=snapshot-assemble`. Without a subscriber they cost nothing.
 */

import { channel } from "node:diagnostics_channel";

/** Messages are objects with a `type`. */
const events = channel("snapshot-assemble");

/** Messages are {@link StateRequest}s. */
const states = channel("snapshot-assemble:state");

/** Collects the states of all work in progress, to find out why a run hangs. */
export interface StateRequest {
  add(state: { readonly type: string }): void;
}

/**
 * Publishes a debug event.
 *
 * @param event called only if the channel has subscribers
 */
export function debug(event: () => { readonly type: string }): void {
  if (events.hasSubscribers) events.publish(event());
}

/** Subscribes to debug events. Returns the function that unsubscribes. */
export function onDebug(listener: (event: object) => void): () => void {
  const receive = (message: unknown) => listener(message as object);
  events.subscribe(receive);
  return () => events.unsubscribe(receive);
}

/** Returns the states of all work in progress. */
export function currentStates(): object[] {
  const found: object[] = [];
  const request: StateRequest = { add: (state) => found.push(state) };
  states.publish(request);
  return found;
}

/** Offers a state until the returned function is called. */
export function offerState(state: () => { readonly type: string }): () => void {
  const respond = (message: unknown) => (message as StateRequest).add(state());
  states.subscribe(respond);
  return () => states.unsubscribe(respond);
}
