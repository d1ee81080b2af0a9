/** Publishes a complete snapshot, with the evidence of the agreement and the record of the run. */

import type { AgreedHashes } from "../../agreement/agreed-hashes.ts";
import type { Evidence } from "../../format/evidence/evidence.ts";
import type { ExportData } from "../../format/export-data.ts";
import { removeOlderLeftovers } from "../../store/leftovers.ts";
import type { PartialSnapshot } from "../../store/partial-snapshot.ts";
import { isArchiverList } from "../../trust/read-archivers.ts";
import type { Network } from "../../trust/read-network.ts";
import { isRecordedTxList } from "../../trust/read-tx-list.ts";
import type { Sharding } from "../../trust/sharding.ts";
import { requireReadsBack } from "../../verify/read-back.ts";
import type { Run } from "./assembly-run.ts";
import { publishedArchivers, publishedTxList } from "./place/published.ts";
import { makeRunRecord } from "./run-record.ts";

/** The network, the settings and the votes that prove a snapshot. */
export interface Proof {
  readonly network: Network;
  readonly sharding: Sharding;
  readonly agreed: AgreedHashes;
}

/**
 * Writes the remaining files of a snapshot, checks the whole, and puts it in place.
 *
 * @throws SnapshotError `disk`; the code of a finding if the snapshot fails the check before it is published
 */
export async function publish(
  run: Run,
  partial: PartialSnapshot,
  data: ExportData,
  proof: Proof,
): Promise<void> {
  const { settings, log } = run;
  log.stage("publishing");
  const { progress, stateBytes } = log.state;
  const size = { accounts: progress.accounts, bytes: stateBytes };
  const evidence = {
    ...evidenceOf(run, proof),
    txList: await txListOf(run, data.timestamp, proof.network),
    archivers: await archiversOf(run, data.timestamp, proof.network),
  };
  const manifest = await partial.complete(data, size, evidence, makeRunRecord(run, proof.agreed));
  const { signal } = settings;
  const { quorum } = settings.agreement;
  await requireReadsBack(partial.directory, { quorum, signal });
  const directory = await partial.putInPlace(({ message }) => log.warn(message));
  log.record({ type: "published", directory, digest: manifest.snapshot.digest });
  const location = { out: settings.output.out, timestamp: data.timestamp };
  for (const { message } of await removeOlderLeftovers(location)) log.warn(message);
}

/** Returns the list that the archiver gave, or that of the published snapshot, which is repaired. */
async function txListOf(
  { settings }: Run,
  timestamp: number,
  { txList, records }: Network,
): Promise<Buffer | undefined> {
  if (txList !== undefined) return txList;
  const kept = await publishedTxList({ out: settings.output.out, timestamp }, settings.signal);
  return kept !== undefined && isRecordedTxList(kept, records, settings.hashKey) ? kept : undefined;
}

/** As {@link txListOf}, for the list of archivers. */
async function archiversOf(
  { settings }: Run,
  timestamp: number,
  { archivers }: Network,
): Promise<Buffer | undefined> {
  if (archivers !== undefined) return archivers;
  const kept = await publishedArchivers({ out: settings.output.out, timestamp }, settings.signal);
  return kept !== undefined && isArchiverList(kept, settings.hashKey) ? kept : undefined;
}

function evidenceOf({ settings }: Run, { network, sharding, agreed }: Proof): Evidence {
  const { nodesPerConsensusGroup, nodesPerEdge, source, proof } = sharding;
  return {
    nodeList: network.nodeList,
    cycles: network.cycles,
    counting: {
      sharding: { nodesPerConsensusGroup, nodesPerEdge, source },
      quorum: { rule: settings.agreement.quorum, source: "given" },
    },
    netconfig: proof,
    gossip: agreed.votes.evidence(),
  };
}
