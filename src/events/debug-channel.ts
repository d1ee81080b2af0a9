/**
 * Debug events, down to each request, for whoever subscribes (node:diagnostics_channel): the command line prints them
 * with `--verbose` or `NODE_DEBUG=snapshot-assemble`. Without a subscriber they cost nothing.
 */

import { channel } from "node:diagnostics_channel";

/** Messages are objects with a `type`. */
const events = channel("snapshot-assemble");

/** Messages are {@link StateRequest}s. */
const states = channel("snapshot-assemble:state");

/** Asks everything that is under way for its state, to find out why a run hangs. */
export interface StateRequest {
  add(state: { readonly type: string }): void;
}

/** @param event made only where somebody subscribes */
export function debug(event: () => { readonly type: string }): void {
  if (events.hasSubscribers) events.publish(event());
}

/** Listens to debug events. Returns the function that ends that. */
export function onDebug(listener: (event: object) => void): () => void {
  const receive = (message: unknown) => listener(message as object);
  events.subscribe(receive);
  return () => events.unsubscribe(receive);
}

/** The states of everything that is under way. */
export function currentStates(): object[] {
  const found: object[] = [];
  const request: StateRequest = { add: (state) => found.push(state) };
  states.publish(request);
  return found;
}

/** Offers a state as long as the returned function is not called. */
export function offerState(state: () => { readonly type: string }): () => void {
  const answer = (message: unknown) => (message as StateRequest).add(state());
  states.subscribe(answer);
  return () => states.unsubscribe(answer);
}
