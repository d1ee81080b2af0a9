import { CanonicalTextError, canonicalText } from "../../src/protocol/crypto/canonical-text.ts";

/** Canonical text; `undefined` where it is refused. */
export function ourText(wireJson: string): string | undefined {
  try {
    return canonicalText(wireJson);
  } catch (error) {
    if (error instanceof CanonicalTextError) return undefined;
    throw error;
  }
}
