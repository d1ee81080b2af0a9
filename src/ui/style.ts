/** Colours text on a terminal, unless NO_COLOR is set (https://no-color.org). */

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
  // Without this option, styleText decides by stdout, even for stderr.
  const paint = (format: "red" | "yellow" | "green") => (text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  return { error: paint("red"), warning: paint("yellow"), good: paint("green") };
}
