/**
 * Bounds on what a JSON text makes when it is parsed, checked before it is: `[{},{},…]` takes fifty times its own
 * size in memory, and whoever walks a value nested 100,000 deep runs out of stack.
 */

import { depthMax, jsonValuesMax } from "../limits/json.ts";

export interface JsonBounds {
  /** Objects and lists inside one another. */
  readonly depthMax: number;
  /** Values in all: objects, lists, strings, numbers and literals. */
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
 * Which bound a text crosses, in words; `undefined` where it crosses none. One pass that builds nothing. A text
 * that is not JSON gets some answer: its parser refuses it.
 */
export function crossedBound(text: string, bounds: JsonBounds): string | undefined {
  let depth = 0;
  // Each value but the first one of all follows a comma or an opening bracket.
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

/** The index of a string's closing quote, or of the text's end where it has none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
