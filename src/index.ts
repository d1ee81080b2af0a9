/** The public API. What is not exported here may change at any time. */

import "./limits/relations/relations.ts";

export { type AllHashes, Collector, type CycleShard } from "./agreement/upstream/collector.ts";
export { clean, cleanOld, initGossip, newCollector } from "./agreement/upstream/partition-gossip.ts";
export type { Agreement } from "./agreement/vote-tally.ts";
export { type AssembleResult, assemble } from "./app/assemble.ts";
export type { AssembleOptions } from "./app/assembly/options.ts";
export { type RestoreOptions, type RestoreResult, restore } from "./app/restore.ts";
export { type ResumeOptions, type ResumeResult, resume } from "./app/resume.ts";
export { type ServeOptions, type ServeResult, serve } from "./app/serve.ts";
export { type VerifyOptions, verifySnapshot } from "./app/verify.ts";
export { SnapshotError, type SnapshotErrorCode } from "./errors/snapshot-error.ts";
export type { AssembleEvent, Offence, QueryRecord, Reporter, RunSummary } from "./events/assemble-events.ts";
export type { RestoreEvent, RestoreReporter, RestoreStep } from "./events/restore-events.ts";
export type { WrappedData } from "./protocol/account-copy.ts";
export { canonicalText } from "./protocol/crypto/canonical-text.ts";
export { hashText } from "./protocol/crypto/hash.ts";
export { isSignedBy } from "./protocol/crypto/signature.ts";
export { cycleMarker } from "./protocol/cycle-record.ts";
export {
  coveringNodes,
  networkHash,
  partitionHashes,
  partitionOf,
  partitionRange,
  queryOrder,
  storedPartitions,
} from "./protocol/plain.ts";
export { makeShard, type Shard, type ShardSettings } from "./protocol/shard.ts";
export type { ServeEvent, ServeReporter } from "./serve/reporter.ts";
export type { Claim, ClaimBasis, ClaimName } from "./verify/findings/claims.ts";
export type { Finding, Findings } from "./verify/findings/findings.ts";
export type { PlainGossipMessage as GossipMessage } from "./wire/gossip-message.ts";
