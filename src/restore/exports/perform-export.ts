/** The orders of an export for a process of its own (restore-process.ts). */

import { diskError, SnapshotError } from "../../errors/snapshot-error.ts";
import { type Export, type ExportCounts, type ExportForm, isText } from "./export-form.ts";
import { checkLines, writeLines } from "./export-lines.ts";
import { checkTables, writeTables } from "./export-tables.ts";

export interface ExportOrder extends Export {
  readonly kind: "export";
}

export interface CheckExportOrder extends Export {
  readonly kind: "check-export";
}

type TableExport = Export & { readonly form: Exclude<ExportForm, "account-export" | "jsonl"> };

function hasTables(order: Export): order is TableExport {
  return !isText(order.form);
}

/** Writes an export. */
export async function writeExport(
  order: ExportOrder,
  onProgress: (accounts: number) => void,
): Promise<ExportCounts> {
  return await asDiskErrors(order.path, () =>
    hasTables(order) ? writeTables(order) : writeLines(order, onProgress),
  );
}

/** Reads an export back. */
export async function checkExport(
  order: CheckExportOrder,
  onProgress: (accounts: number) => void,
): Promise<ExportCounts> {
  return await asDiskErrors(order.path, () =>
    hasTables(order) ? checkTables(order, onProgress) : checkLines(order, onProgress),
  );
}

async function asDiskErrors<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof SnapshotError ? error : diskError(`cannot export to ${path}`, error);
  }
}
