/** Faults of the validators of a live cluster. */

import { validatorSteps } from "../validator/fault-hooks.ts";
import { type FaultKind, requiredValue } from "./fault-kind.ts";

export const liveFaults: readonly FaultKind[] = [
  {
    name: "kill-at",
    description: `dies once (SIGKILL) at ${validatorSteps.join("/")}`,
    parameter: { kind: "step" },
    isLiveOnly: true,
    apply: ({ hooks }, place) => {
      const fatal = validatorSteps[requiredValue(place)];
      hooks.steps.push((step) => {
        if (step === fatal) process.kill(process.pid, "SIGKILL");
      });
    },
  },
  {
    name: "slow-export",
    description: "pauses after each partition of an export",
    parameter: { kind: "duration", default: 500 },
    isLiveOnly: true,
    apply: ({ hooks }, ms) => {
      hooks.state.exportPauseMs = requiredValue(ms);
    },
  },
];
