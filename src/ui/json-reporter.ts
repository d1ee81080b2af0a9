/** Writes one JSON object per line. The command writes the summary, which states the exit status. */

import type { AssembleEvent, Reporter } from "../events/assemble-events.ts";
import { printableJson } from "../text/printable.ts";

const progressEveryMs = 1_000;

export class JsonReporter implements Reporter {
  readonly #write: (line: string) => void;
  #lastMs = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  report(event: AssembleEvent): void {
    switch (event.type) {
      case "stage":
      case "warning":
        this.#write(printableJson(event));
        break;
      case "query":
        this.#write(printableJson({ type: "query", ...event.query }));
        break;
      case "offence":
        this.#write(printableJson({ type: "offence", ...event.offence }));
        break;
      case "progress": {
        const nowMs = performance.now();
        if (nowMs - this.#lastMs < progressEveryMs) return;
        this.#lastMs = nowMs;
        this.#write(printableJson({ type: "progress", ...event.progress }));
        break;
      }
      case "asked":
      case "end":
        break;
    }
  }
}
