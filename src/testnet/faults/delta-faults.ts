/** Faults in the accounts of a delta: a response to a request with `changedSince` (PROTOCOL.md, Partial snapshots). */

import type { WrappedData } from "../../protocol/account-copy.ts";
import type { Selection } from "../../wire/snapshot-request.ts";
import type { ValidatorSetup } from "../cluster/validator-setup.ts";
import { tampered } from "../state/account-data.ts";
import type { ResponseContext } from "../validator/fault-hooks.ts";
import { firstChanged, stale } from "./account-faults.ts";
import { type FaultKind, optionalPartition } from "./fault-kind.ts";

type Rows = Iterable<WrappedData>;

export const deltaFaults: readonly FaultKind[] = [
  {
    name: "no-delta",
    description: "ignores changedSince: sends unchanged accounts too",
    apply: ({ hooks }) => void hooks.responses.select.push(withoutDelta),
  },
  {
    name: "omit-changes",
    description: "omits an account of each partition, or of one, from deltas",
    parameter: { kind: "partition", default: undefined },
    apply: (node, value) =>
      inDeltas(
        node,
        firstChanged(node, optionalPartition(value), () => []),
      ),
  },
  {
    name: "empty-delta",
    description: "sends deltas without accounts",
    apply: (node) => inDeltas(node, () => []),
  },
  {
    name: "false-delta",
    description: "changes an account of each partition, or of one, in deltas",
    parameter: { kind: "partition", default: undefined },
    apply: (node, value) =>
      inDeltas(
        node,
        firstChanged(node, optionalPartition(value), (account) => [tampered(account)]),
      ),
  },
  {
    name: "whole-delta",
    description: "sends all accounts as a delta, and changes as false-delta",
    parameter: { kind: "partition", default: undefined },
    apply: (node, value) => {
      node.hooks.responses.select.push(withoutDelta);
      inDeltas(
        node,
        firstChanged(node, optionalPartition(value), (account) => [tampered(account)]),
      );
    },
  },
  {
    name: "stale-delta",
    description: "sends earlier versions of the accounts of a delta",
    apply: (node) => inDeltas(node, (rows) => earlierVersions(rows, node)),
  },
];

/** Changes the accounts of deltas, and of no other response. */
function inDeltas({ hooks }: ValidatorSetup, change: (rows: Rows) => Rows): void {
  hooks.responses.rows.push((rows, { selection }: ResponseContext) =>
    selection.changedSince === undefined ? rows : change(rows),
  );
}

function withoutDelta(selection: Selection): Selection {
  return { ...selection, changedSince: undefined };
}

/** Yields the accounts as they were in an earlier state. A created account has no earlier version, and is omitted; where
 *  no earlier state is known, the versions are invented. */
function* earlierVersions(rows: Rows, { network }: ValidatorSetup): Generator<WrappedData> {
  for (const account of rows) {
    if (network.state.hasEarlier) {
      const earlier = network.state.earlier(account);
      if (earlier !== undefined) yield earlier;
    } else {
      yield stale(account, network.cycleDurationMs);
    }
  }
}
