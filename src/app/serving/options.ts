/** The options of a server of snapshots. */

import type { OptionChecks } from "../../options/option-check.ts";
import { checksOf } from "../../options/option-row.ts";
import type { Listen } from "../../options/option-texts.ts";
import { serveTable } from "../../options/serve-table.ts";
import type { ServeReporter } from "../../serve/reporter.ts";
import type { VerifyOptions } from "../../verify/check-snapshot.ts";

/** What restarting validators get. */
export interface RestoreRoutesOptions {
  /** The URL of the archiver behind the server. Without it, restarting validators get no accounts. */
  readonly upstream?: string | undefined;
  /** The name of the snapshot whose accounts they get, or "none"; required if several are served. */
  readonly restoreFrom?: string | undefined;
  /** The directory of the index. */
  readonly indexDir?: string | undefined;
  /** A file with the key that signs responses. */
  readonly keyFile?: string | undefined;
  readonly maxValidators?: number | undefined;
  /** Bytes per second. */
  readonly bwlimit?: number | undefined;
}

export interface ServeOptions extends Omit<VerifyOptions, "subset" | "signal">, RestoreRoutesOptions {
  /** Port 0 is any free port. */
  readonly listen: Listen;
  /** A file with the private key that signs answers. */
  readonly keyFile?: string | undefined;
  /** Ends the server. */
  readonly signal: AbortSignal;
  readonly reporter?: ServeReporter | undefined;
}

export const serveChecks: OptionChecks<ServeOptions> = checksOf(serveTable);
