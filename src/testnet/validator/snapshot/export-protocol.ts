/** The messages between a validator and the process that exports its state. */

import type { Partition } from "../../../protocol/brands.ts";
import type { ExportRequest } from "./write-export.ts";

/** The one message to the process. */
export interface ExportCommand {
  readonly type: "export";
  readonly request: ExportRequest;
}

/** From the process: `ready`, then `started`, a `wrote` for each partition, and `done`; or `failed`. */
export type ExportMessage =
  | { readonly type: "ready" }
  | { readonly type: "started" }
  | { readonly type: "wrote"; readonly partition: Partition }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string };
