/** The reporter of `--quiet`: writes warnings and offences only. */

import type { AssembleEvent, Reporter } from "../events/assemble-events.ts";
import { messageLine } from "../text/printable.ts";
import { describeOffence } from "./describe-event.ts";
import type { Style } from "./style.ts";

export class QuietReporter implements Reporter {
  readonly #write: (line: string) => void;
  readonly #style: Style;

  constructor(write: (line: string) => void, style: Style) {
    this.#write = write;
    this.#style = style;
  }

  report(event: AssembleEvent): void {
    if (event.type === "warning") {
      this.#write(`${this.#style.warning("warning:")} ${messageLine(event.message)}`);
    } else if (event.type === "offence") {
      this.#write(`${this.#style.warning("offence:")} ${describeOffence(event.offence)}`);
    }
  }
}
