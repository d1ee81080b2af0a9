/** Writes plain lines for logs and mail: each event, and the progress at intervals. */

import type { AssembleEvent, Progress, Reporter } from "../events/assemble-events.ts";
import { messageLine } from "../text/printable.ts";
import { describeBytes, describeOffence, describeQuery } from "./describe-event.ts";
import { formatCount, formatCounted } from "./format.ts";
import type { Style } from "./style.ts";

const everyMs = 10_000;

export class LineReporter implements Reporter {
  readonly #write: (line: string) => void;
  readonly #style: Style;
  #lastMs = performance.now();

  constructor(write: (line: string) => void, style: Style) {
    this.#write = write;
    this.#style = style;
  }

  report(event: AssembleEvent): void {
    switch (event.type) {
      case "stage":
        this.#write(messageLine(event.message));
        break;
      case "warning":
        this.#write(`${this.#style.warning("warning:")} ${messageLine(event.message)}`);
        break;
      case "query":
        this.#write(describeQuery(event.query));
        break;
      case "offence":
        this.#write(`${this.#style.warning("offence:")} ${describeOffence(event.offence)}`);
        break;
      case "progress":
        this.#progress(event.progress);
        break;
      case "asked":
      case "end":
        break;
    }
  }

  #progress({ partitions, bytes, accounts }: Progress): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastMs < everyMs) return;
    this.#lastMs = nowMs;
    const verified = `${formatCount(partitions.verified)} of ${formatCounted(partitions.total, "partition")} verified`;
    this.#write(`${verified}, ${formatCounted(accounts, "account")}, ${describeBytes(bytes)}`);
  }
}
