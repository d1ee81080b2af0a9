import { CanonicalTextError, canonicalText } from "../../src/protocol/crypto/canonical-text.ts";

/** Returns this implementation's canonical text; `undefined` if it rejects the text. */
export function ownText(wireJson: string): string | undefined {
  try {
    return canonicalText(wireJson);
  } catch (error) {
    if (error instanceof CanonicalTextError) return undefined;
    throw error;
  }
}
