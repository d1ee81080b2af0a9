/** The public API. What is not exported here may change at any time. */

export { type AssembleResult, assemble } from "./assemble/assemble.ts";
export type { AssembleOptions } from "./assemble/options.ts";
export type { AssembleEvent, Offence, QueryRecord, Reporter, RunSummary } from "./assemble/reporter.ts";
export { type VerifyOptions, verifySnapshot } from "./assemble/verify-snapshot.ts";
export { type Agreement, type AllHashes, Collector, type CycleShard } from "./gossip/collector.ts";
export { clean, cleanOld, initGossip, newCollector } from "./gossip/partition-gossip.ts";
export type { WrappedData } from "./model/account-copy.ts";
export { canonicalText } from "./model/canonical.ts";
export { cycleMarker } from "./model/cycle.ts";
export { Failure, type FailureCode } from "./model/failure.ts";
export { hashText } from "./model/hash.ts";
export { networkHash, partitionHashes } from "./model/partition-hash.ts";
export {
  coveringNodes,
  makeShard,
  partitionOf,
  partitionRange,
  type Shard,
  type ShardSettings,
  storedPartitions,
} from "./model/shard.ts";
export { isSignedBy } from "./model/signature.ts";
export { queryOrder } from "./plan/query-order.ts";
export type { Claim, ClaimBasis, ClaimName } from "./verify/claims.ts";
export type { Finding, Findings } from "./verify/findings.ts";
export type { GossipMessage } from "./wire/gossip-message.ts";
