/** A progress bar on a terminal: partitions verified, bytes, rate, time left. */

import { Presets, SingleBar } from "cli-progress";
import type { AssembleEvent, Progress, Reporter } from "../assemble/reporter.ts";
import { describeOffence } from "./describe-event.ts";
import { formatBytes, formatDuration } from "./format.ts";
import type { Style } from "./style.ts";

const refreshMs = 100;

/** Leaves room for the figures on a terminal of 80 columns. */
const barColumns = 20;

export class BarReporter implements Reporter {
  readonly #bar: SingleBar;
  readonly #stream: NodeJS.WritableStream;
  readonly #style: Style;
  #startedMs: number | undefined;
  #lastMs = 0;

  constructor(stream: NodeJS.WritableStream, style: Style) {
    this.#stream = stream;
    this.#style = style;
    const format = "{bar} {value}/{total} partitions | {bytes} | {rate}/s | {left}";
    this.#bar = new SingleBar(
      { format, stream, clearOnComplete: true, hideCursor: true, barsize: barColumns },
      Presets.shades_classic,
    );
  }

  report(event: AssembleEvent): void {
    switch (event.type) {
      case "progress":
        this.#progress(event.progress);
        break;
      case "stage":
        this.#above(event.message);
        break;
      case "warning":
        this.#above(`${this.#style.warning("warning:")} ${event.message}`);
        break;
      case "offence":
        this.#above(`${this.#style.warning("offence:")} ${describeOffence(event.offence)}`);
        break;
      case "end":
        this.#bar.stop();
        break;
      case "query":
        break;
    }
  }

  #progress({ partitions, bytesReceived }: Progress): void {
    const nowMs = performance.now();
    if (this.#startedMs === undefined) {
      this.#startedMs = nowMs;
      this.#bar.start(partitions.total, partitions.verified, { bytes: "0 B", rate: "–", left: "…" });
    }
    if (nowMs - this.#lastMs < refreshMs && partitions.verified < partitions.total) return;
    this.#lastMs = nowMs;
    const elapsedMs = nowMs - this.#startedMs;
    const rate = elapsedMs > 0 ? (bytesReceived / elapsedMs) * 1000 : 0;
    const leftMs = (elapsedMs / Math.max(partitions.verified, 1)) * (partitions.total - partitions.verified);
    const left = partitions.verified === 0 ? "…" : `${formatDuration(leftMs)} left`;
    this.#bar.update(partitions.verified, {
      bytes: formatBytes(bytesReceived),
      rate: formatBytes(rate),
      left,
    });
  }

  /** A line above the bar, which is drawn again at the next progress. */
  #above(line: string): void {
    if (this.#startedMs !== undefined) {
      this.#bar.stop();
      this.#startedMs = undefined;
    }
    this.#stream.write(`${line}\n`);
  }
}
