/** The options of a server of snapshots. */

import type { OptionChecks } from "../../options/option-check.ts";
import { checksOf } from "../../options/option-row.ts";
import type { Listen } from "../../options/option-texts.ts";
import { serveTable } from "../../options/serve-table.ts";
import type { ServeReporter } from "../../serve/reporter.ts";
import type { VerifyOptions } from "../../verify/check-snapshot.ts";

export interface ServeOptions extends Omit<VerifyOptions, "subset" | "signal"> {
  /** Port 0 is any free port. */
  readonly listen: Listen;
  /** A file with the private key that signs answers. */
  readonly keyFile?: string | undefined;
  /** Ends the server. */
  readonly signal: AbortSignal;
  readonly reporter?: ServeReporter | undefined;
}

export const serveChecks: OptionChecks<ServeOptions> = checksOf(serveTable);
