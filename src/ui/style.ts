/** Colour where it helps and is wanted (https://no-color.org): on a terminal, and unless NO_COLOR is set. */

import { styleText } from "node:util";

export interface Style {
  error(text: string): string;
  warning(text: string): string;
  good(text: string): string;
}

export function makeStyle(
  isTTY: boolean | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Style {
  const isColoured = isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  // Whether to paint is decided here: styleText would look at stdout, whatever the stream.
  const paint = (format: "red" | "yellow" | "green") => (text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  return { error: paint("red"), warning: paint("yellow"), good: paint("green") };
}
