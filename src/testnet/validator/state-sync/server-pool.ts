/**
 * The servers of snapshots that a validator may ask, in the order in which the operator names them. One that answers
 * falsely is never asked again; one that fails is asked again after the others, a few times.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { SnapshotError } from "../../../errors/snapshot-error.ts";
import { shownUrl } from "../../../text/shown-url.ts";
import { serverFailuresMax, serverPauseMs } from "../../limits.ts";
import { ServerError, type ServerErrorKind } from "./server-error.ts";
import { type ServerConnection, SnapshotServer } from "./snapshot-server.ts";

/** A server gave a false answer, or none. */
export interface ServerReport {
  readonly type: "server-failed";
  readonly server: string;
  readonly kind: ServerErrorKind;
  readonly problem: string;
  /** Whether the server is not asked again. */
  readonly isExcluded: boolean;
}

export interface PoolOptions {
  readonly connection: ServerConnection;
  readonly report: (report: ServerReport) => void;
  readonly pauseMs?: number;
}

interface Candidate {
  readonly server: SnapshotServer;
  failures: number;
}

export class ServerPool {
  readonly #options: PoolOptions;
  /** The next one first. */
  #candidates: Candidate[];
  readonly #problems = new Map<string, string>();

  constructor(urls: readonly string[], options: PoolOptions) {
    this.#options = options;
    this.#candidates = [...new Set(urls)].map((url) => ({
      server: new SnapshotServer(url, options.connection),
      failures: 0,
    }));
  }

  /** Returns the server to ask next. @throws SnapshotError `incomplete` when none is left */
  current(): SnapshotServer {
    const [candidate] = this.#candidates;
    if (candidate === undefined) throw this.#noneLeft();
    return candidate.server;
  }

  /**
   * Calls `work` with one server after another until it succeeds.
   *
   * @throws SnapshotError `incomplete` when no server is left; what `work` throws, unless it is a ServerError
   */
  async use<Result>(work: (server: SnapshotServer) => Promise<Result>): Promise<Result> {
    for (;;) {
      const server = this.current();
      try {
        return await work(server);
      } catch (error) {
        await this.failed(server, error);
      }
    }
  }

  /**
   * Reports what a server did wrong, and moves on to the next one.
   *
   * @throws what is not a ServerError
   */
  async failed({ url }: SnapshotServer, error: unknown): Promise<void> {
    if (!(error instanceof ServerError)) throw error;
    const { kind, message } = error;
    const { connection, report, pauseMs = serverPauseMs } = this.#options;
    const candidate = this.#candidates.find((one) => one.server.url === url);
    const server = shownUrl(url);
    if (candidate === undefined) return;
    candidate.failures++;
    const isExcluded = kind === "false" || candidate.failures >= serverFailuresMax;
    this.#candidates = this.#candidates.filter((other) => other !== candidate);
    if (!isExcluded) this.#candidates.push(candidate);
    this.#problems.set(server, message);
    report({ type: "server-failed", server, kind, problem: message, isExcluded });
    // Another server is asked at once; one that has failed may need a moment.
    const next = this.#candidates[0];
    const { signal } = connection;
    if (next !== undefined && next.failures > 0) {
      await sleep(pauseMs * 2 ** (next.failures - 1), undefined, signal ? { signal } : {});
    }
  }

  #noneLeft(): SnapshotError {
    return new SnapshotError("incomplete", "no server of snapshots is left to start from", {
      details: [...this.#problems].map(([server, problem]) => `${server}: ${problem}`),
      hint: "Give the URL of another server of the same snapshot with --from.",
    });
  }
}
