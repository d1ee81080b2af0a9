/** What a validator and the process that exports its state say to each other. */

import type { ExportRequest } from "./write-export.ts";

/** To the process, once. */
export interface ExportCommand {
  readonly type: "export";
  readonly request: ExportRequest;
}

/** From the process: `ready` to be told, then `started`, a `wrote` for each partition, and `done`; or `failed`. */
export type ExportMessage =
  | { readonly type: "ready" }
  | { readonly type: "started" }
  | { readonly type: "wrote"; readonly partition: number }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string };
