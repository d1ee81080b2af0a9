/** The HTTP status of one pushed message. */

import type { Admission, RejectionReason } from "../../agreement/admission/admission.ts";

export function statusOfAdmission(admission: Admission): number {
  switch (admission.kind) {
    case "new":
    case "equivocation":
      return 202;
    case "duplicate":
      return 200;
    case "rejected":
      return statusOfRejection(admission.reason);
  }
}

function statusOfRejection(reason: RejectionReason): number {
  switch (reason) {
    case "not-json":
    case "unsigned":
    case "other-key":
    case "other-cycle":
    case "malformed":
    case "misattributed":
      return 400;
    case "stranger":
      return 403;
    case "superfluous":
      return 409;
    case "limit":
    case "oversized":
      return 413;
  }
}
