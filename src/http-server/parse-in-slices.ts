/**
 * Feeds the HTTP parser of a connection in slices. The parser processes all input at once: it would make objects of all
 * pipelined requests in a chunk before the server could close the connection.
 */

import type { Socket } from "node:net";
import { parsedBytesAtOnce } from "../limits/http-server.ts";

/** Passes the received chunks of a connection to its parser in slices until the connection ends. */
export function parseInSlices(socket: Socket): void {
  const emit = socket.emit;
  // Without another listener, the parser reads the socket directly.
  socket.on("data", () => undefined);
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    const [chunk] = args;
    if (event !== "data" || !Buffer.isBuffer(chunk)) return Reflect.apply(emit, socket, [event, ...args]);
    for (let start = 0; start < chunk.length && !socket.destroyed; start += parsedBytesAtOnce) {
      if (start > 0 && socket.isPaused()) {
        // The client does not read its responses; the parser receives the rest when it does.
        socket.unshift(chunk.subarray(start));
        break;
      }
      Reflect.apply(emit, socket, [event, chunk.subarray(start, start + parsedBytesAtOnce)]);
    }
    return true;
  };
}
