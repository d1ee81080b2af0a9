/**
 * Connects for the HTTP library. Here, and only here, an address is judged before anything is sent to it: host
 * names are resolved, every resolved address is judged, and the connection goes to an address that was judged.
 */

import { lookup } from "node:dns";
import { isIP, type LookupFunction, type Socket } from "node:net";
import type { buildConnector } from "undici";
import { FetchFailure } from "./fetch-failure.ts";
import { asOurOwn } from "./peer-failure.ts";
import type { ReceiveBuffers } from "./receive-buffers.ts";

/** Why an address is not connected to, as a sentence about "its address"; `undefined` where it may be. */
export type AddressRule = (address: string) => string | undefined;

export interface ConnectorParts {
  readonly build: typeof buildConnector;
  readonly timeoutMs: number;
  readonly buffers: ReceiveBuffers;
  readonly rule: AddressRule | undefined;
  /** Told of each connection: the origin of its URL, and the address that it goes to. */
  readonly onConnected: (origin: string, address: string) => void;
  /** Told of what the library threw while it handled an event of a connection. */
  readonly onThrown: (origin: string, thrown: unknown) => void;
}

export function makeConnector(parts: ConnectorParts): buildConnector.connector {
  const { build, timeoutMs: timeout, buffers, rule } = parts;
  const judged = rule === undefined ? {} : { lookup: judgedLookup(rule) };
  const secure = build({ timeout, ...judged });
  const plain = build({ timeout, onread: buffers.onread, ...judged });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, "");
    const refusal = rule !== undefined && isIP(host) !== 0 ? asOurOwn(() => rule(host)) : undefined;
    if (refusal !== undefined) return callback(new FetchFailure("not-asked", refusal), null);
    const origin = `${options.protocol}//${options.host ?? options.hostname}`;
    (options.protocol === "https:" ? secure : plain)(options, (error, socket) => {
      if (error !== null) return callback(error, null);
      if (socket.remoteAddress !== undefined) parts.onConnected(origin, socket.remoteAddress);
      catchFromListeners(socket, (thrown) => parts.onThrown(origin, thrown));
      return callback(null, socket);
    });
  };
}

/** Resolves a host name to the addresses that may be connected to. */
function judgedLookup(rule: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "", 0);
      const refusals = asOurOwn(() => addresses.map(({ address }) => rule(address)));
      const permitted = addresses.filter((_, index) => refusals[index] === undefined);
      const [first] = permitted;
      if (first === undefined) {
        const problem = refusals.find((refusal) => refusal !== undefined) ?? "it has no address";
        return callback(new FetchFailure("not-asked", `${hostname}: ${problem}`), "", 0);
      }
      return options.all === true ? callback(null, permitted) : callback(null, first.address, first.family);
    });
  };
}

/**
 * The library handles some events of a connection (its end, its close) without catching what its parser throws.
 * Such an error would end the process: it ends the connection instead.
 */
function catchFromListeners(socket: Socket, onThrown: (thrown: unknown) => void): void {
  const emit = socket.emit;
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    try {
      return Reflect.apply(emit, socket, [event, ...args]);
    } catch (thrown) {
      onThrown(thrown);
      socket.destroy();
      return true;
    }
  };
}
