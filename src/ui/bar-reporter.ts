/** A progress bar on a terminal: verified partitions, bytes, rate, time left, and the nodes that the run waits for. */

import { Presets, SingleBar } from "cli-progress";
import type { AssembleEvent, Progress, Reporter } from "../events/assemble-events.ts";
import { shortPeer } from "../protocol/node.ts";
import { messageLine } from "../text/printable.ts";
import { describeOffence } from "./describe-event.ts";
import { formatBytes, formatDuration } from "./format.ts";
import { ProgressMeter } from "./progress-meter.ts";
import type { Style } from "./style.ts";

const refreshMs = 100;
/** The interval at which the bar is drawn while no event arrives. */
const tickMs = 500;

/** Leaves space for the figures on a terminal of 80 columns. */
const barColumns = 16;

export class BarReporter implements Reporter {
  readonly #bar: SingleBar;
  readonly #stream: NodeJS.WritableStream;
  readonly #style: Style;
  readonly #meter = new ProgressMeter();
  #isDrawn = false;
  #lastMs = 0;
  #ticking: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WritableStream, style: Style) {
    this.#stream = stream;
    this.#style = style;
    const format = "{bar} {value}/{total} partitions | {bytes} | {rate} | {left}";
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
        this.#writeAbove(messageLine(event.message));
        break;
      case "warning":
        this.#writeAbove(`${this.#style.warning("warning:")} ${messageLine(event.message)}`);
        break;
      case "offence":
        this.#writeAbove(`${this.#style.warning("offence:")} ${describeOffence(event.offence)}`);
        break;
      case "asked":
        this.#meter.requested(event.node, performance.now());
        break;
      case "query":
        this.#meter.ended(event.query.node);
        break;
      case "end":
        clearInterval(this.#ticking);
        this.#erase();
        break;
    }
  }

  #progress(progress: Progress): void {
    const nowMs = performance.now();
    this.#meter.update(progress, nowMs);
    const isLast = progress.partitions.verified === progress.partitions.total;
    if (nowMs - this.#lastMs >= refreshMs || isLast) this.#draw(nowMs);
    this.#ticking ??= setInterval(() => this.#draw(performance.now()), tickMs).unref();
  }

  #draw(nowMs: number): void {
    const { progress } = this.#meter;
    if (progress === undefined) return;
    this.#lastMs = nowMs;
    const { total, verified } = progress.partitions;
    const { received, seeded } = progress.bytes;
    const rate = this.#meter.rate(nowMs);
    const figures = {
      bytes:
        seeded === 0 ? formatBytes(received) : `${formatBytes(received)} + ${formatBytes(seeded)} seeded`,
      rate: rate === undefined ? "–" : `${formatBytes(rate)}/s`,
      left: this.#left(nowMs),
    };
    if (this.#isDrawn) this.#bar.update(verified, figures);
    else this.#bar.start(total, verified, figures);
    this.#isDrawn = true;
  }

  #left(nowMs: number): string {
    const [first, ...others] = this.#meter.waitingFor(nowMs);
    if (first !== undefined) {
      const more = others.length > 0 ? ` and ${others.length} more` : "";
      return `waiting for ${shortPeer(first.node)}${more}, ${formatDuration(first.sinceMs)}`;
    }
    const leftMs = this.#meter.leftMs(nowMs);
    return leftMs === undefined ? "…" : `${formatDuration(leftMs)} left`;
  }

  /** Writes a line above the bar, which the next progress event or tick draws again. */
  #writeAbove(line: string): void {
    this.#erase();
    this.#stream.write(`${line}\n`);
  }

  #erase(): void {
    if (this.#isDrawn) this.#bar.stop();
    this.#isDrawn = false;
  }
}
