/** Adds the state of the network to a failure that it explains: no active nodes, or snapshots switched off. */

import { SnapshotError, type SnapshotErrorCode } from "../../../errors/snapshot-error.ts";
import { networkConfigHashOf } from "../../../protocol/cycle-record.ts";
import type { Network } from "../../../trust/read-network.ts";
import { describeSnapshotsOff } from "../../../trust/sharding.ts";
import { nodeContext, type Run } from "../assembly-run.ts";
import { respondents } from "../sharding-of-cycles.ts";

/** The codes of a run for which the validators have no hashes or no accounts. */
const unheldCodes: ReadonlySet<SnapshotErrorCode> = new Set(["no-agreement", "gone", "temporary"]);

/** Returns the failure with an explanation, or the same failure if the network explains nothing. */
export async function explained(failure: SnapshotError, run: Run, network: Network): Promise<SnapshotError> {
  if (!unheldCodes.has(failure.code)) return failure;
  const { inactive } = network;
  const off = await whySnapshotsAreOff(run, network);
  if (inactive === undefined && off === undefined) return failure;
  const { code, hint = "" } = inactive ?? failure;
  const message = inactive === undefined ? failure.message : `${inactive.message}; ${failure.message}`;
  const hints = off === undefined ? hint : `${off} ${hint}`.trim();
  return new SnapshotError(code, message, { details: failure.details, hint: hints, cause: failure });
}

/** If the user gave the settings, the run has not requested the configuration yet. */
async function whySnapshotsAreOff(run: Run, network: Network): Promise<string | undefined> {
  const { nodesPerConsensusGroup, nodesPerEdge } = run.settings.network;
  const [candidate] = network.candidates;
  if (nodesPerConsensusGroup === undefined || nodesPerEdge === undefined || candidate === undefined)
    return undefined;
  run.log.stage("requesting the network's configuration, to see whether snapshots are off");
  const configHash = networkConfigHashOf(candidate.cycle);
  return await describeSnapshotsOff(respondents(network, candidate), configHash, nodeContext(run));
}
