/** Writes offences into the hash database, and reports those that are new. */

import type { Rejection } from "../../agreement/admission/admission.ts";
import { faultOf } from "../../agreement/faults/fault.ts";
import { basisOf, type Offence, type RecordedOffence } from "../../errors/offence.ts";
import type { HashDatabase } from "../../store/hash-database/hash-database.ts";
import type { CollectReporter } from "../reporter.ts";
import { evidenceOf } from "./stored-votes.ts";

export class OffenceLog {
  readonly #database: HashDatabase;
  readonly #reporter: CollectReporter | undefined;

  constructor(database: HashDatabase, reporter: CollectReporter | undefined) {
    this.#database = database;
    this.#reporter = reporter;
  }

  record(offences: readonly RecordedOffence[]): void {
    for (const offence of this.#database.saveOffences(offences)) this.report(offence);
  }

  /** Records what a rejected message proves against its signer, with the message as evidence. */
  recordRejection(rejection: Rejection, message: Buffer, areSettingsProved: boolean): void {
    const fault = faultOf(rejection, { areSettingsProved });
    if (fault.kind !== "signed") return;
    const evidence = evidenceOf({ text: message.toString("utf8") });
    this.record([{ ...fault.offence, whenMs: Date.now(), evidence }]);
  }

  report({ node, kind, partition, detail }: Offence): void {
    const where = partition === undefined ? {} : { partition };
    const offence = { node, kind, ...where, detail, basis: basisOf(kind) };
    this.#reporter?.report({ type: "offence", offence });
  }
}
