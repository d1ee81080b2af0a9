/**
 * Counts again, offline, from what a snapshot brings with it: who voted for its partition hashes, and what
 * the cycle chain says of its network hash. The same tally that the assembly used, and nothing of its memory.
 */

import { checkChain, recordedNetworkHashes } from "../chain/cycle-chain.ts";
import { isAgreed, type Quorum } from "../gossip/collector.ts";
import { type CycleRecord, cycleEndMs } from "../model/cycle.ts";
import { messageOf } from "../model/failure.ts";
import { hashText } from "../model/hash.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ActiveNode } from "../model/node.ts";
import { allPartitions, makeShard, type Shard } from "../model/shard.ts";
import { isSignedBy } from "../model/signature.ts";
import {
  COUNTING_FILE,
  CYCLES_FILE,
  GOSSIP_FILE,
  NODE_LIST_FILE,
  partitionKey,
} from "../model/snapshot-layout.ts";
import type { EvidenceReport, Finding, PartitionVotes } from "../verify/findings.ts";
import type { SnapshotReader } from "../verify/snapshot-reader.ts";
import { parseCountingRules } from "../wire/counting-rules.ts";
import { parseCycleRecords } from "../wire/cycle-records.ts";
import { parseNodeList } from "../wire/node-list.ts";
import { parseJson } from "../wire/parse.ts";
import { BallotBox } from "./ballot.ts";

export interface AuditOptions {
  /** The bytes of a node list that the auditor brings, and where they are from. */
  readonly trustedNodeList?: { readonly bytes: Buffer; readonly source: string } | undefined;
  /** By default that of the evidence, as the assembly counted. */
  readonly quorum: Quorum | undefined;
}

/** What is checked: a snapshot whose manifest and export data could be read. */
export interface AuditSubject {
  readonly reader: SnapshotReader;
  readonly manifest: Manifest;
  readonly entries: ReadonlyMap<string, string>;
  readonly hashKey: string;
}

export async function auditEvidence(subject: AuditSubject, options: AuditOptions): Promise<EvidenceReport> {
  return await new Audit(subject, options).run();
}

const POPULAR_NOTE =
  "votes were counted by the upstream's rule: the most popular hash of at least half, which need not be a majority";

class Audit {
  readonly #subject: AuditSubject;
  readonly #options: AuditOptions;
  readonly #findings: Finding[] = [];
  readonly #notes: string[] = [];

  constructor(subject: AuditSubject, options: AuditOptions) {
    this.#subject = subject;
    this.#options = options;
  }

  async run(): Promise<EvidenceReport> {
    const { manifest } = this.#subject;
    const nodeList = await this.#nodeList();
    const settings = await this.#read(COUNTING_FILE, "evidence", parseCountingRules);
    const chain = await this.#chain();
    let votes: PartitionVotes[] = [];
    if (nodeList !== undefined && settings !== undefined) {
      const { nodes } = nodeList;
      const expected = manifest.snapshot.numPartitions;
      if (nodes.length === expected) {
        const { nodesPerConsensusGroup, nodesPerEdge } = settings.sharding;
        const quorum = this.#options.quorum ?? settings.quorum.rule;
        const shard = makeShard({ numNodes: nodes.length, nodesPerConsensusGroup, nodesPerEdge });
        votes = await this.#votes(nodes, shard, quorum);
        if (quorum === "popular") this.#notes.push(POPULAR_NOTE);
      } else {
        this.#find(
          "node-list",
          NODE_LIST_FILE,
          `it has ${nodes.length} nodes with an ID, for ${expected} partitions`,
        );
      }
    }
    const { source, hash, nodes } = nodeList ?? {};
    return {
      votes,
      nodeList:
        source === undefined || hash === undefined ? null : { source, hash, nodes: nodes?.length ?? 0 },
      chain,
      findings: this.#findings,
      notes: this.#notes,
    };
  }

  async #nodeList(): Promise<
    { nodes: readonly ActiveNode[]; source: "evidence" | "auditor"; hash: string } | undefined
  > {
    const { hashKey } = this.#subject;
    const trusted = this.#options.trustedNodeList;
    const own = await this.#read(NODE_LIST_FILE, "node-list", parseNodeList);
    if (own !== undefined) this.#requireSigned(own.received, NODE_LIST_FILE, "node-list");
    if (trusted === undefined) {
      if (own === undefined) return undefined;
      const bytes = await this.#subject.reader.readBytes(NODE_LIST_FILE);
      return { nodes: own.nodes, source: "evidence", hash: hashText(bytes, hashKey) };
    }
    const { nodes } = parseNodeList(
      parseJson(trusted.bytes.toString("utf8"), trusted.source),
      trusted.source,
    );
    if (own !== undefined) this.#compareLists(own.nodes, nodes);
    return { nodes, source: "auditor", hash: hashText(trusted.bytes, hashKey) };
  }

  /** Who may vote is what all else rests on: the lists must name the same nodes with the same keys. */
  #compareLists(own: readonly ActiveNode[], trusted: readonly ActiveNode[]): void {
    const keys = new Map(trusted.map((node) => [node.id, node.publicKey]));
    const strangers = own.filter((node) => keys.get(node.id) !== node.publicKey);
    const known = new Set(own.map((node) => node.id));
    const missing = trusted.filter((node) => !known.has(node.id));
    for (const [nodes, problem] of [
      [strangers, "are not in the trusted list, or with another key"],
      [missing, "of the trusted list are missing"],
    ] as const) {
      if (nodes.length === 0) continue;
      this.#find(
        "node-list",
        NODE_LIST_FILE,
        `${nodes.length} nodes ${problem}, the first is ${nodes[0]?.id}`,
      );
    }
  }

  async #votes(nodes: readonly ActiveNode[], shard: Shard, quorum: Quorum): Promise<PartitionVotes[]> {
    const { manifest, entries, hashKey } = this.#subject;
    const cycleShard = { ...shard, cycleNumber: manifest.blockHeight, nodeIds: nodes.map((node) => node.id) };
    const box = new BallotBox(cycleShard, nodes, hashKey);
    await this.#cast(box);
    const votes: PartitionVotes[] = [];
    for (const partition of allPartitions(shard)) {
      const hash = entries.get(partitionKey(partition)) ?? "";
      const { votesFor, outOf, total } = box.collector.votesFor(partition, hash);
      votes.push({ partition, votesFor, votesAgainst: total - votesFor, outOf });
      const agreement = box.collector.agreement(partition);
      const isCarried = agreement !== undefined && agreement.hash === hash && isAgreed(agreement, quorum);
      if (isCarried) continue;
      const count = `${votesFor} votes for its hash and ${total - votesFor} against, of ${outOf}`;
      this.#find("no-agreement", GOSSIP_FILE, `partition ${partition} has ${count}`);
    }
    return votes;
  }

  async #cast(box: BallotBox): Promise<void> {
    const bytes = await this.#bytes(GOSSIP_FILE, "gossip");
    if (bytes === undefined) return;
    let equivocations = 0;
    let start = 0;
    for (let line = 1; start < bytes.length; line++) {
      const newline = bytes.indexOf(0x0a, start);
      const end = newline < 0 ? bytes.length : newline;
      const ballot = box.cast(bytes.toString("utf8", start, end), `${GOSSIP_FILE}, line ${line}`);
      if (ballot.outcome === "equivocation") equivocations++;
      else if (ballot.outcome === "invalid")
        this.#find("gossip", GOSSIP_FILE, `line ${line}: ${ballot.problem}`);
      else if (ballot.outcome !== "counted")
        this.#find("gossip", GOSSIP_FILE, `line ${line}: it does not count (${ballot.outcome})`);
      start = end + 1;
    }
    if (equivocations > 0)
      this.#notes.push(
        `${equivocations} nodes signed two different messages for this cycle; the first of each was counted`,
      );
  }

  async #chain(): Promise<EvidenceReport["chain"]> {
    const { manifest, hashKey } = this.#subject;
    const { timestamp, networkHash, numPartitions } = manifest.snapshot;
    const cycles = await this.#read(CYCLES_FILE, "chain", parseCycleRecords);
    if (cycles === undefined) return "unread";
    this.#requireSigned(cycles.received, CYCLES_FILE, "chain");
    for (const { severity, problem } of checkChain(cycles.records, hashKey)) {
      if (severity === "broken") this.#find("chain", CYCLES_FILE, problem);
      else this.#notes.push(`the cycle chain: ${problem}`);
    }
    const record = cycles.records.find(({ counter }) => counter === manifest.blockHeight);
    const problem = record === undefined ? "is not there" : recordProblem(record, timestamp, numPartitions);
    if (problem !== undefined)
      this.#find("chain", CYCLES_FILE, `the record of cycle ${manifest.blockHeight} ${problem}`);
    const recorded = recordedNetworkHashes(cycles.records, manifest.blockHeight);
    for (const hash of recorded.filter((other) => other !== networkHash)) {
      this.#find("chain", CYCLES_FILE, `a record names the network hash ${hash}, not ${networkHash}`);
    }
    return recorded.includes(networkHash) ? "confirms" : "silent";
  }

  #requireSigned(received: unknown, file: string, kind: Finding["kind"]): void {
    const { sign } = received as { sign?: unknown };
    if (sign === undefined || sign === null || isSignedBy(received, this.#subject.hashKey)) return;
    this.#find(kind, file, "the archiver's signature does not hold");
  }

  async #read<T>(
    file: string,
    kind: Finding["kind"],
    parse: (received: unknown, source: string) => T,
  ): Promise<T | undefined> {
    const bytes = await this.#bytes(file, kind);
    if (bytes === undefined) return undefined;
    try {
      return parse(parseJson(bytes.toString("utf8"), file), file);
    } catch (error) {
      this.#find(kind, file, messageOf(error));
      return undefined;
    }
  }

  async #bytes(file: string, kind: Finding["kind"]): Promise<Buffer | undefined> {
    try {
      return await this.#subject.reader.readBytes(file);
    } catch (error) {
      this.#find(kind, file, messageOf(error));
      return undefined;
    }
  }

  #find(kind: Finding["kind"], file: string, problem: string): void {
    this.#findings.push({ kind, file, problem });
  }
}

function recordProblem(record: CycleRecord, timestamp: number, numPartitions: number): string | undefined {
  if (cycleEndMs(record) !== timestamp) return `ends at ${cycleEndMs(record)}, not at ${timestamp}`;
  return record.active === numPartitions
    ? undefined
    : `has ${record.active} active nodes, for ${numPartitions} partitions`;
}
