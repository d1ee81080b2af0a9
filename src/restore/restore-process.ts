/**
 * The process that writes and reads databases; see restore-child.ts. It performs one order and ends, and it ends with its
 * parent: what it writes is worth nothing without it.
 */

import { performOneOrder } from "../store/database-process.ts";
import { type WriteOrder, writeAccounts } from "./archiver/accounts-table.ts";
import { type CloseOrder, closeCrashed } from "./archiver/close-crashed.ts";
import {
  type AccountsReadBack,
  type CheckIndexesOrder,
  checkIndexes,
  type ReadBackOrder,
  readAccountsBack,
} from "./archiver/read-accounts-back.ts";
import { type Appended, type AppendOrder, appendShutdown } from "./archiver/shutdown-record.ts";
import type { ExportCounts } from "./exports/export-form.ts";
import {
  type CheckExportOrder,
  checkExport,
  type ExportOrder,
  writeExport,
} from "./exports/perform-export.ts";
import { type MeasuredState, type MeasureOrder, measureState } from "./resume/measure-state.ts";
import { type Replayed, type ReplayOrder, replay } from "./resume/replay.ts";

/** Each kind of order, and what it results in. */
export interface RestoreWork {
  readonly write: { readonly order: WriteOrder; readonly result: number };
  readonly "read-back": { readonly order: ReadBackOrder; readonly result: AccountsReadBack };
  readonly "check-indexes": { readonly order: CheckIndexesOrder; readonly result: null };
  readonly export: { readonly order: ExportOrder; readonly result: ExportCounts };
  readonly "check-export": { readonly order: CheckExportOrder; readonly result: ExportCounts };
  readonly replay: { readonly order: ReplayOrder; readonly result: Replayed };
  readonly measure: { readonly order: MeasureOrder; readonly result: MeasuredState };
  readonly close: { readonly order: CloseOrder; readonly result: null };
  readonly "append-shutdown": { readonly order: AppendOrder; readonly result: Appended };
}

export type RestoreOrder = RestoreWork[keyof RestoreWork]["order"];

/** What the process says before its result. */
export type RestoreProgress =
  | { readonly kind: "progress"; readonly accounts: number }
  | { readonly kind: "replayed"; readonly receipts: number; readonly total: number };

performOneOrder<RestoreOrder>(resultOf);

function resultOf(order: RestoreOrder): unknown {
  const onProgress = (accounts: number) => void process.send?.({ kind: "progress", accounts });
  switch (order.kind) {
    case "write":
      return writeAccounts(order, onProgress);
    case "read-back":
      return readAccountsBack(order, onProgress);
    case "check-indexes":
      return checkIndexes(order);
    case "export":
      return writeExport(order, onProgress);
    case "check-export":
      return checkExport(order, onProgress);
    case "replay":
      return replay(order, (receipts, total) => {
        process.send?.({ kind: "replayed", receipts, total } satisfies RestoreProgress);
      });
    case "measure":
      return measureState(order, onProgress);
    case "close":
      return closeCrashed(order);
    case "append-shutdown":
      return appendShutdown(order);
  }
}
