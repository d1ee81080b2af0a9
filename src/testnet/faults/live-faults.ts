/** Faults of validators that go on from cycle to cycle. */

import { validatorSteps } from "../validator/fault-hooks.ts";
import { type FaultKind, given } from "./fault-kind.ts";

export const liveFaults: readonly FaultKind[] = [
  {
    name: "kill-at",
    description: `dies once (SIGKILL) at ${validatorSteps.join("/")}`,
    parameter: { kind: "step" },
    isLiveOnly: true,
    apply: ({ conduct }, place) => {
      const fatal = validatorSteps[given(place)];
      conduct.steps.push((step) => {
        if (step === fatal) process.kill(process.pid, "SIGKILL");
      });
    },
  },
  {
    name: "slow-export",
    description: "pauses after each partition of an export",
    parameter: { kind: "duration", default: 500 },
    isLiveOnly: true,
    apply: ({ conduct }, ms) => {
      conduct.exportPauseMs = given(ms);
    },
  },
];
