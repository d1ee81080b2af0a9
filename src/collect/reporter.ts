/** The events of a running collector. User interfaces implement the reporter. */

import type { ReportedOffence } from "../errors/offence.ts";
import type { Cycle, HashHex } from "../protocol/brands.ts";

export type CollectEvent =
  | { readonly type: "listening"; readonly url: string }
  | { readonly type: "network"; readonly nodes: number; readonly newestCycle: number }
  | {
      readonly type: "agreed";
      readonly cycle: Cycle;
      readonly networkHash: HashHex;
      /** The number of nodes whose message is counted so far. */
      readonly heard: number;
      readonly nodes: number;
    }
  | { readonly type: "offence"; readonly offence: ReportedOffence }
  | { readonly type: "warning"; readonly message: string };

export interface CollectReporter {
  report(event: CollectEvent): void;
}
