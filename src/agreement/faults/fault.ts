/**
 * Decides which node an admission is evidence against. Pure. A signed message is evidence against its signer, no matter
 * which node forwarded it. An unsigned message is evidence against the node that forwarded it, because an honest node
 * verifies each message first; that evidence is observed, not signed.
 */

import type { Offence } from "../../errors/offence.ts";
import type { NodeId } from "../../protocol/brands.ts";
import type { Admission, Rejection, Vote } from "../admission/admission.ts";

/** Where a message was received from. */
export interface Origin {
  /** The node that forwarded it. A file, a database and a push have none, and are never blamed. */
  readonly relay?: string | undefined;
  /** The node, the file or the database, as it is shown in the detail of an offence. */
  readonly source?: string | undefined;
  /**
   * The bound on a vote depends on the sharding settings. While nothing proves them, nobody is blamed for exceeding it.
   */
  readonly areSettingsProved: boolean;
}

export type Fault =
  /** Nobody is at fault: an honest node may have signed the message, and may forward it. */
  | { readonly kind: "none" }
  /** The signer is at fault, as its own signature proves. An honest node may forward the message. */
  | { readonly kind: "signed"; readonly offence: Offence }
  /** The relay is at fault: no honest node forwards the message. */
  | {
      readonly kind: "relayed";
      readonly relay: string;
      readonly problem: string;
      /** The validator in whose name, and with whose key, the message is. */
      readonly sender: NodeId | undefined;
    };

const none: Fault = { kind: "none" };

export function faultOf(admission: Admission, origin: Origin): Fault {
  switch (admission.kind) {
    case "new":
    case "duplicate":
      return none;
    case "equivocation":
      return { kind: "signed", offence: equivocation(admission.vote, origin.source) };
    case "rejected":
      return faultOfRejection(admission, origin);
  }
}

function faultOfRejection(rejection: Rejection, { relay, areSettingsProved }: Origin): Fault {
  const { reason, sender } = rejection;
  switch (reason) {
    case "malformed":
      return signed(rejection);
    case "oversized":
      return areSettingsProved ? signed(rejection) : none;
    // Only a node that forwards its own forgery is at fault: others may have verified the signature alone.
    case "misattributed":
      return relay === sender ? relayed(rejection, relay) : none;
    case "not-json":
    case "unsigned":
      return relayed(rejection, relay);
    // The relay's list may have another key for the sender than ours.
    case "other-key":
      return relayed({ ...rejection, sender: undefined }, relay);
    // The node has left, the cycle is over, or the bound is ours alone: an honest node may forward it.
    case "stranger":
    case "other-cycle":
    case "limit":
    case "superfluous":
      return none;
  }
}

/** @param source the origin of the second message */
export function equivocation({ sender, cycle }: Pick<Vote, "sender" | "cycle">, source?: string): Offence {
  const rest = source === undefined ? ", both signed" : `; the second one came from ${source}`;
  return { node: sender, kind: "equivocation", detail: `two different messages for cycle ${cycle}${rest}` };
}

function signed({ sender, problem }: Rejection): Fault {
  if (sender === undefined) return none;
  return { kind: "signed", offence: { node: sender, kind: "invalid-vote", detail: problem } };
}

type Unsigned = Pick<Rejection, "problem"> & { readonly sender?: NodeId | undefined };

function relayed({ problem, sender }: Unsigned, relay: string | undefined): Fault {
  return relay === undefined ? none : { kind: "relayed", relay, problem, sender };
}
