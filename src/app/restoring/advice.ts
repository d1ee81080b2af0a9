/** What the operator should know and do after a restore. */

import type { AccountHashCounter } from "../../restore/account-hash.ts";
import type { ExportForm } from "../../restore/exports/export-form.ts";
import type { TxList } from "../../restore/read-snapshot.ts";
import type { ArchiverRestore } from "../../restore/restore-to-archiver.ts";
import { counted } from "../../text/counted.ts";

/** Validators skip an account whose hash is not that of its data. */
export function hashWarnings({ rules, counts }: AccountHashCounter): string[] {
  if (rules.length === 0) return [];
  const fits = rules.map((rule) => `${counts[rule]} by the rule ${rule}`).join(", ");
  const warnings: string[] = [];
  if (counts.neither > 0) {
    warnings.push(
      `${counted(counts.neither, "account")} with another hash than that of the data (right are ${fits}): validators skip such accounts`,
    );
  }
  if (rules.every((rule) => counts[rule] > 0) && rules.length > 1) {
    warnings.push(`accounts with the hashes of different applications (${fits}): check --account-hash`);
  }
  return warnings;
}

export function nextStepsOfArchiver(
  { combinedHash, shutdown }: Pick<ArchiverRestore, "combinedHash" | "shutdown">,
  txList: TxList | null,
): string[] {
  const record =
    shutdown === null
      ? "The newest cycle record of the archiver must have the mode shutdown; if the network ended otherwise, run again with --append-shutdown."
      : `The newest cycle record is ${shutdown.counter}, in the mode shutdown; it must be the same on every archiver.`;
  const list =
    "tx-list-restore.json beside the archiver's package.json, and set restoreNGTsFromSnapshot=true";
  return [
    "Restore the same snapshot on every archiver of archiversAtShutdown: archivers with different accounts block the restart.",
    record,
    txList === null
      ? `Unless the network's list of transactions was empty, put it into ${list}; the snapshot has none.`
      : `Copy ${txList.path} to ${list}; its hash must be the txlisthash of the newest cycle record, ${txList.hash}.`,
    "Start the first archiver (without ARCHIVER_INFO and without archivers in its configuration), then the others.",
    `Compare POST /get_globalaccountreport_archiver of all archivers: combinedHash must be ${combinedHash}.`,
    "Start the validators.",
  ];
}

/** As {@link nextStepsOfArchiver}, after the receipts that follow the snapshot. */
export function nextStepsOfResume(
  restored: Pick<ArchiverRestore, "combinedHash" | "shutdown">,
  txList: TxList | null,
): string[] {
  const [, ...steps] = nextStepsOfArchiver(restored, txList);
  return [
    "Resume every archiver of archiversAtShutdown from the same snapshot with the same receipts: archivers with different accounts block the restart.",
    ...steps,
  ];
}

/** What a form is for, and what its reader does with it. */
const stepsOfForms: Readonly<Record<ExportForm, readonly string[]>> = {
  "account-export": [
    "Put the file where the first node of a new network reads it (account-export.json). It is loaded once, if the network has no network account yet.",
    "The new network begins at cycle 0. The loader makes every account but the network account an ordinary one.",
  ],
  "accounts-entry": [
    "Use the file as db/shardeum.sqlite of a node in service mode (read-only RPC). A validator that joins a network deletes its accounts at the start.",
  ],
  "core-tables": [
    "Use the file as db/db.sqlite of a validator of before 2024-11, with stateManager.useAccountCopiesTable and storage.options.saveOldDBFiles.",
  ],
  jsonl: [],
};

export function nextStepsOfForm(form: ExportForm): readonly string[] {
  return stepsOfForms[form];
}
