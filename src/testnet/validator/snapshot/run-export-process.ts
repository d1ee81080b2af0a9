/**
 * The process that exports a validator's state: it waits for a command, writes the export, and ends. It also ends when
 * the channel to its validator closes, which happens at any end of the validator.
 */

import { messageOf } from "../../../errors/snapshot-error.ts";
import type { ExportCommand, ExportMessage } from "./export-protocol.ts";
import { type ExportHooks, honestExport, writeExport } from "./write-export.ts";

export function runExportProcess(hooks: ExportHooks = honestExport): void {
  // A Ctrl-C goes to the whole group, but only the validator handles it.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  process.once("disconnect", () => process.exit(0));
  process.once("message", async ({ request }: ExportCommand) => {
    try {
      await writeExport(
        request,
        {
          started: () => send({ type: "started" }),
          wrote: (partition) => send({ type: "wrote", partition }),
        },
        hooks,
      );
      send({ type: "done" });
    } catch (error) {
      send({ type: "failed", message: messageOf(error) });
    }
  });
  send({ type: "ready" });
}

/** Ignores errors: where the validator has died, the end of the channel ends this process. */
function send(message: ExportMessage): void {
  process.send?.(message, () => undefined);
}
