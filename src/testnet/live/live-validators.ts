/** The validators of a live cluster: starts those from the beginning and those that join later, kills and stops them. */

import { join } from "node:path";
import { messageOf } from "../../errors/snapshot-error.ts";
import type { ClusterNetwork } from "../cluster/cluster-network.ts";
import { setUpNode } from "./live-network.ts";
import type { LiveSettings } from "./live-settings.ts";
import type { Member } from "./membership/network-members.ts";
import { type SupervisorEvent, ValidatorSupervisor } from "./validator-supervisor.ts";

export type ValidatorEvent = SupervisorEvent & { readonly validator: number };

export interface LiveValidatorsOptions {
  readonly settings: LiveSettings;
  readonly network: ClusterNetwork;
  readonly host: string;
  readonly archiverUrl: string;
  /** Contains a directory for each validator. */
  readonly directory: string;
  readonly report: (event: ValidatorEvent) => void;
}

export class LiveValidators {
  readonly #options: LiveValidatorsOptions;
  /** By the number of the validator. */
  readonly #supervisors = new Map<number, ValidatorSupervisor>();
  #isStopped = false;

  constructor(options: LiveValidatorsOptions) {
    this.#options = options;
  }

  pidOf(validator: number): number | undefined {
    return this.#supervisors.get(validator)?.pid;
  }

  /**
   * Starts the validators from the beginning. Returns them in ascending order of ID.
   *
   * @param isDown whether a validator is stopped again at once
   * @throws SnapshotError where one does not start
   */
  async startAll(isDown: (index: number) => boolean, signal: AbortSignal | undefined): Promise<Member[]> {
    const numbers = [...this.#options.network.identities.keys()];
    const starts = Promise.all(numbers.map((number) => this.start(number)));
    starts.catch(() => undefined);
    const members = await Promise.race([starts, ...(signal ? [aborted(signal)] : [])]);
    // Stopped last, so that no other validator gets the port of one that is down.
    await Promise.all(numbers.filter(isDown).map((number) => this.#supervisors.get(number)?.stop()));
    return members;
  }

  /** Starts a validator. @throws SnapshotError where it does not start */
  async start(number: number): Promise<Member> {
    const { settings, network, host, archiverUrl, directory, report } = this.#options;
    const own = { live: settings, index: number, host, port: 0, archiverUrl };
    const supervisor = new ValidatorSupervisor(
      { ...own, directory: join(directory, `validator-${number}`) },
      (event) => report({ ...event, validator: number }),
    );
    this.#supervisors.set(number, supervisor);
    const { identity } = setUpNode(settings, network, number);
    return { validator: number, identity, url: await supervisor.start() };
  }

  /** Starts a validator. Returns `undefined`, and reports it, where it does not start. */
  async tryStart(number: number): Promise<Member | undefined> {
    const { settings, network } = this.#options;
    try {
      const member = await this.start(number);
      // One that is down joins, and is never active.
      if (!setUpNode(settings, network, number).isListening) await this.#supervisors.get(number)?.stop();
      return member;
    } catch (error) {
      const died = { type: "validator-died", how: messageOf(error), isGivenUp: true } as const;
      if (!this.#isStopped) this.#options.report({ ...died, validator: number });
      return undefined;
    }
  }

  /** Kills a validator, which is not restarted. */
  kill(number: number): void {
    this.#supervisors.get(number)?.kill();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor.stop()));
  }
}

/** Rejects when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
