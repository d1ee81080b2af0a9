/**
 * The network's own canonical text, by the published types library: the oracle for this implementation. Version 1.4.1
 * is pinned because validators use 1.4.2, which supports only one version of Node; the code in question is identical.
 */

import { Utils } from "@shardeum-foundation/lib-types";

/** Returns `undefined` if the library rejects the text. */
export function networkText(wireJson: string): string | undefined {
  try {
    return Utils.safeStringify(Utils.safeJsonParse(wireJson));
  } catch {
    return undefined;
  }
}
