/** What a collector tells of itself while it goes on. User interfaces implement it. */

import type { ReportedOffence } from "../errors/offence.ts";

export type CollectEvent =
  | { readonly type: "listening"; readonly url: string }
  | { readonly type: "network"; readonly nodes: number; readonly newestCycle: number }
  | {
      readonly type: "agreed";
      readonly cycle: number;
      readonly networkHash: string;
      /** Of how many nodes there is a message so far. */
      readonly heard: number;
      readonly nodes: number;
    }
  | { readonly type: "offence"; readonly offence: ReportedOffence }
  | { readonly type: "warning"; readonly message: string };

export interface CollectReporter {
  report(event: CollectEvent): void;
}
