/**
 * Connects for the HTTP library. Only this module checks addresses before data is sent to them: it resolves host names,
 * applies the rule to every resolved address, and connects to an address that the rule permits.
 */

import { lookup } from "node:dns";
import { isIP, type LookupFunction, type Socket } from "node:net";
import type { buildConnector } from "undici";
import { FetchError } from "../../errors/fetch-error.ts";
import { asOwnError, peerError } from "./peer-error.ts";
import type { ReceiveBuffers } from "./receive-buffers.ts";

/** Returns why connections to an address are forbidden, as a sentence about "its address"; `undefined` if permitted. */
export type AddressRule = (address: string) => string | undefined;

/** How often to check whether a response was read to the end of its connection. */
const unreadCheckMs = 5;

export interface ConnectorParts {
  readonly build: typeof buildConnector;
  readonly timeoutMs: number;
  readonly buffers: ReceiveBuffers;
  readonly rule: AddressRule | undefined;
  /** Called with each connection: the origin of its URL, and the address that it goes to. */
  readonly onConnected: (origin: string, address: string) => void;
  /** Whether received bytes of an origin still wait to be read. */
  readonly isUnread: (origin: string) => boolean;
  /** Called when the library lost track of a connection to an origin. */
  readonly onLost: (origin: string, failure: FetchError) => void;
}

export function makeConnector(parts: ConnectorParts): buildConnector.connector {
  const { build, timeoutMs: timeout, buffers, rule } = parts;
  const checked = rule === undefined ? {} : { lookup: checkedLookup(rule) };
  const secure = build({ timeout, ...checked });
  const plain = build({ timeout, onread: buffers.onread, ...checked });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, "");
    const refusal = rule !== undefined && isIP(host) !== 0 ? asOwnError(() => rule(host)) : undefined;
    if (refusal !== undefined) return callback(new FetchError("not-asked", refusal), null);
    const origin = `${options.protocol}//${options.host ?? options.hostname}`;
    (options.protocol === "https:" ? secure : plain)(options, (error, socket) => {
      if (error !== null) return callback(error, null);
      if (socket.remoteAddress !== undefined) parts.onConnected(origin, socket.remoteAddress);
      superviseEvents(socket, {
        isUnread: () => parts.isUnread(origin),
        onLost: (failure) => parts.onLost(origin, failure),
      });
      return callback(null, socket);
    });
  };
}

/** Resolves a host name to the addresses that may be connected to. */
function checkedLookup(rule: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "", 0);
      const refusals = asOwnError(() => addresses.map(({ address }) => rule(address)));
      const permitted = addresses.filter((_, index) => refusals[index] === undefined);
      const [first] = permitted;
      if (first === undefined) {
        const problem = refusals.find((refusal) => refusal !== undefined) ?? "it has no address";
        return callback(new FetchError("not-asked", `${hostname}: ${problem}`), "", 0);
      }
      return options.all === true ? callback(null, permitted) : callback(null, first.address, first.family);
    });
  };
}

interface Supervision {
  readonly isUnread: () => boolean;
  readonly onLost: (failure: FetchError) => void;
}

/**
 * Forwards the events of a connection to the library, and works around two of its defects.
 *
 * First, the library asserts that its parser is not paused when a connection ends. A reader that is slower than the
 * server pauses the parser, and many servers end each connection after one response; the end is therefore delayed until
 * everything before it was read. Second, the library does not catch what its parser throws at the end of a connection,
 * which would terminate the process; it receives an error of the connection instead.
 */
function superviseEvents(socket: Socket, { isUnread, onLost }: Supervision): void {
  const emit = socket.emit;
  let isLost = false;
  const lose = (event: string | symbol, thrown: unknown) => {
    // The parser's caller catches errors about bytes; these errors are about the end of the connection.
    const failure = peerError(thrown);
    if (!(failure instanceof FetchError)) throw failure;
    const message = "the connection ended within the response";
    onLost(new FetchError("reset", message, { cause: thrown }));
    const lost = Object.assign(new Error(message, { cause: thrown }), { code: "UND_ERR_SOCKET" });
    const isFirst = !isLost;
    isLost = true;
    if (event !== "error") socket.destroy(lost);
    else if (isFirst) passOn("error", [lost]);
  };
  const passOn = (event: string | symbol, args: unknown[]): boolean => {
    const listeners = socket.rawListeners(event);
    if (listeners.length === 0) return Reflect.apply(emit, socket, [event, ...args]);
    for (const listener of listeners) {
      try {
        Reflect.apply(listener, socket, args);
      } catch (thrown) {
        lose(event, thrown);
      }
    }
    return true;
  };
  const endOnceRead = () => {
    if (isUnread()) setTimeout(endOnceRead, unreadCheckMs);
    else if (!socket.destroyed) {
      passOn("end", []);
      socket.end();
    }
  };
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    if (event !== "end" || !isUnread()) return passOn(event, args);
    // Without this, Node destroys the socket right after the event.
    socket.allowHalfOpen = true;
    endOnceRead();
    return true;
  };
}
