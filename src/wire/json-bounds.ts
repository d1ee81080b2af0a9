/**
 * Bounds on the value of a JSON text, checked before the text is parsed: `[{},{},…]` takes fifty times its size in
 * memory, and recursion over a value nested 100,000 levels deep overflows the stack.
 */

import { depthMax, jsonValuesMax } from "../limits/json.ts";

export interface JsonBounds {
  /** Levels of nested objects and lists. */
  readonly depthMax: number;
  /** All values: objects, lists, strings, numbers and literals. */
  readonly valuesMax: number;
}

export const defaultJsonBounds: JsonBounds = { depthMax, valuesMax: jsonValuesMax };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Describes the bound that a text exceeds; `undefined` if it exceeds none. The scan allocates nothing. For a text that
 * is not JSON the result is arbitrary: its parser rejects it.
 */
export function exceededBound(text: string, bounds: JsonBounds): string | undefined {
  let depth = 0;
  // Every value except the outermost one follows a comma or an opening bracket.
  let values = 1;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        values++;
        if (++depth > bounds.depthMax) return `nested more than ${bounds.depthMax} levels deep`;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
        values++;
        break;
      default:
        continue;
    }
    if (values > bounds.valuesMax) return `more than ${bounds.valuesMax} values`;
  }
  return undefined;
}

/** Returns the index of a string's closing quote, or of the text's end if the string is not closed. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
