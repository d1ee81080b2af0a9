/** Reports each warning once, although the same problem returns at every poll. */

import type { CollectReporter } from "./reporter.ts";

const rememberedMax = 100;

export class RepeatedWarnings {
  readonly #reporter: CollectReporter | undefined;
  readonly #reported = new Set<string>();

  constructor(reporter: CollectReporter | undefined) {
    this.#reporter = reporter;
  }

  readonly warn = (message: string): void => {
    if (this.#reported.has(message)) return;
    if (this.#reported.size >= rememberedMax) this.#reported.clear();
    this.#reported.add(message);
    this.#reporter?.report({ type: "warning", message });
  };
}
