/** The options of `serve` for restarting validators. */

import { validatorsServed } from "../limits/serve-archiver.ts";
import { TiB } from "../limits/units.ts";
import { anyText, httpUrl, path, wholeNumber } from "./kinds.ts";
import type { OptionTable } from "./option-row.ts";

const validatorsMax = 10_000;

export const serveArchiverTable = {
  upstream: {
    flag: "--upstream <url>",
    kind: httpUrl,
    help: "archiver behind the server: it states the mode and the nodes of the network, and gets every request that the server does not answer itself; without it, restarting validators get no accounts",
  },
  restoreFrom: {
    flag: "--restore-from <name>",
    kind: anyText,
    defaultText: "the only snapshot",
    help: "with --upstream: name of the snapshot whose accounts restarting validators get; none: they get those of the archiver",
  },
  indexDir: {
    flag: "--index-dir <directory>",
    kind: path,
    defaultText: "beside the snapshot",
    help: "with --upstream: directory of the index of accounts",
  },
  maxValidators: {
    flag: "--max-validators <n>",
    kind: wholeNumber(1, validatorsMax),
    default: validatorsServed,
    defaultText: String(validatorsServed),
    help: "with --upstream: restarting validators that are served at a time",
  },
  bwlimit: {
    flag: "--bwlimit <bytes>",
    kind: wholeNumber(1, TiB),
    defaultText: "none",
    help: "with --upstream: bytes per second of all responses to restarting validators",
  },
} as const satisfies OptionTable;
