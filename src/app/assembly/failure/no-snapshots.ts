/** Why the validators have no hashes or no accounts, where the network as a whole explains it. */

import { SnapshotError, type SnapshotErrorCode } from "../../../errors/snapshot-error.ts";
import { networkConfigHashOf } from "../../../protocol/cycle-record.ts";
import type { Network } from "../../../trust/read-network.ts";
import { describeSnapshotsOff } from "../../../trust/sharding.ts";
import { nodeContext, type Run } from "../run.ts";
import { respondents } from "../sharding-of-cycles.ts";

/** What a run ends with where the validators have no hashes, or no accounts, of the time that is meant. */
const unheld: ReadonlySet<SnapshotErrorCode> = new Set(["no-agreement", "gone", "temporary"]);

/** Returns the failure with what the network says of itself; the same failure where it says nothing. */
export async function explained(failure: SnapshotError, run: Run, network: Network): Promise<SnapshotError> {
  if (!unheld.has(failure.code)) return failure;
  const { inactive } = network;
  const off = await whySnapshotsAreOff(run, network);
  if (inactive === undefined && off === undefined) return failure;
  const { code, hint = "" } = inactive ?? failure;
  const message = inactive === undefined ? failure.message : `${inactive.message}; ${failure.message}`;
  const hints = off === undefined ? hint : `${off} ${hint}`.trim();
  return new SnapshotError(code, message, { details: failure.details, hint: hints, cause: failure });
}

/** Where the settings were given, nobody has been asked for the configuration yet. It changes nothing here. */
async function whySnapshotsAreOff(run: Run, network: Network): Promise<string | undefined> {
  const { nodesPerConsensusGroup, nodesPerEdge } = run.settings;
  const [candidate] = network.candidates;
  if (nodesPerConsensusGroup === undefined || nodesPerEdge === undefined || candidate === undefined)
    return undefined;
  run.log.stage("asking validators why there are no snapshots");
  const configHash = networkConfigHashOf(candidate.cycle);
  return await describeSnapshotsOff(respondents(network, candidate), configHash, nodeContext(run));
}
