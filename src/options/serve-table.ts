/** The options of `serve`. */

import { abortSignal, listen, path, reporter } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";
import { serveArchiverTable } from "./serve-archiver-table.ts";
import { verifyTable } from "./verify-table.ts";

const { subset: _subset, signal: _signal, ...trustTable } = verifyTable;

export const serveTable = {
  listen: {
    flag: "--listen <address>",
    kind: listen,
    isRequired: true,
    default: { host: "127.0.0.1", port: 4000 },
    defaultText: "127.0.0.1:4000",
    help: "address of the server, as host:port",
  },
  keyFile: {
    flag: "--key-file <file>",
    kind: path,
    defaultText: "a key that lasts as long as the server",
    help: "file with the private key that signs answers: 64 hex digits, or the 128 of an archiver's ARCHIVER_SECRET_KEY",
  },
  ...serveArchiverTable,
  ...trustTable,
  signal: { kind: abortSignal, isRequired: true, help: "ends the server" },
  reporter: { kind: reporter, help: "receives the events of the server" },
} as const satisfies OptionTable;
