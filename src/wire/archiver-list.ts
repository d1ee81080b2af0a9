/** Parses the list of archivers: the answer of an archiver to `GET /archivers`. */

import { archiversMax } from "../limits/network.ts";
import type { ListedArchiver } from "../protocol/archiver-list.ts";
import { publicKey } from "./hex.ts";
import { parseAs, WireError } from "./parse.ts";
import * as z from "./schema.ts";

const hostPattern = /^[0-9A-Za-z.:_-]{1,255}$/;

const archiver = z.object({
  publicKey,
  ip: z.string("expected a host").regex(hostPattern, "expected a host"),
  port: z.int("expected a port").min(1, "expected a port").max(65_535, "expected a port"),
});

const schema = z.object({
  activeArchivers: z
    .array(z.unknown(), "expected a list of archivers")
    .max(archiversMax, `expected at most ${archiversMax} archivers`)
    .pipe(z.array(archiver)),
});

export interface ArchiverList {
  /** In the order of the list. */
  readonly archivers: readonly ListedArchiver[];
  /** The value that `JSON.parse` returned, which may be signed. */
  readonly received: unknown;
}

/**
 * @param received `{activeArchivers: [{publicKey, ip, port}], sign}`
 * @throws WireError if it has another form, or lists a key twice
 */
export function parseArchiverList(received: unknown, source: string): ArchiverList {
  const { activeArchivers: archivers } = parseAs(schema, received, source);
  const keys = new Set(archivers.map((one) => one.publicKey));
  if (keys.size < archivers.length) throw new WireError(source, "it lists a public key twice");
  return { archivers, received };
}
