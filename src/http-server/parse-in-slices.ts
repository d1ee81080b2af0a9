/**
 * Feeds the HTTP parser of a connection in slices. The parser processes all that it is given, and many connections are
 * read before the first of them has ended, so that a whole chunk of pipelined requests would become objects at once.
 */

import type { Socket } from "node:net";
import { parsedBytesAtOnce } from "../limits/http-server.ts";

/** Passes the received chunks of a connection to its parser in slices, until the connection has ended. */
export function parseInSlices(socket: Socket): void {
  const emit = socket.emit;
  // Without a listener of our own, the parser reads the connection by itself.
  socket.on("data", () => undefined);
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    const [chunk] = args;
    if (event !== "data" || !Buffer.isBuffer(chunk)) return Reflect.apply(emit, socket, [event, ...args]);
    for (let start = 0; start < chunk.length && !socket.destroyed; start += parsedBytesAtOnce) {
      if (start > 0 && socket.isPaused()) {
        // The client does not read its responses: the parser gets the rest once it does.
        socket.unshift(chunk.subarray(start));
        break;
      }
      Reflect.apply(emit, socket, [event, chunk.subarray(start, start + parsedBytesAtOnce)]);
    }
    return true;
  };
}
