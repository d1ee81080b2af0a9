/**
 * The process that exports a validator's state: it waits to be told what, does it, and ends. It also ends
 * when its validator does, however that goes: the channel between them closes.
 */

import { messageOf } from "../../../errors/snapshot-error.ts";
import type { ExportCommand, ExportMessage } from "./export-protocol.ts";
import { type ExportHooks, honestExport, writeExport } from "./write-export.ts";

export function runExportProcess(conduct: ExportHooks = honestExport): void {
  // The group's Ctrl-C is for the validator to obey.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  process.once("disconnect", () => process.exit(0));
  process.once("message", async ({ request }: ExportCommand) => {
    try {
      await writeExport(
        request,
        { started: () => say({ type: "started" }), wrote: (partition) => say({ type: "wrote", partition }) },
        conduct,
      );
      say({ type: "done" });
    } catch (error) {
      say({ type: "failed", message: messageOf(error) });
    }
  });
  say({ type: "ready" });
}

/** A validator that has died hears nothing, and the end of the channel is the end of its export. */
function say(message: ExportMessage): void {
  process.send?.(message, () => undefined);
}
