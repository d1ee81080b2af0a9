/**
 * The network's own canonical text, by the published types library: the oracle for ours. Version 1.4.1 is pinned,
 * whose code for this is byte for byte that of 1.4.2: validators use the latter, but it admits only one version of
 * Node.
 */

import { Utils } from "@shardeum-foundation/lib-types";

/** `undefined` where the library refuses the text. */
export function networkText(wireJson: string): string | undefined {
  try {
    return Utils.safeStringify(Utils.safeJsonParse(wireJson));
  } catch {
    return undefined;
  }
}
