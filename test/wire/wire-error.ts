import { expect } from "vitest";
import { WireError } from "../../src/wire/parse.ts";
import { faultOfMessage } from "./hostile-text.ts";

/** Returns the message, without the source, of the WireError that parsing must throw, and checks that it can be shown. */
export function wireErrorOf(parse: (source: string) => unknown): string {
  const source = "the source";
  try {
    parse(source);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    expect(error.source).toBe(source);
    expect(error.message).toMatch(/^the source: /);
    expect(faultOfMessage(error.message)).toBeUndefined();
    return error.message.replace(/^the source: /, "");
  }
  throw new Error("parsing succeeded");
}
