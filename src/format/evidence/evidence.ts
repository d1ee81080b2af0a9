/** The evidence for the agreement (FORMAT.md, Evidence). It differs between archivers and is not part of the digest. */

import { ARCHIVERS_FILE } from "./archivers.ts";
import { COUNTING_FILE, type CountingRules, countingRulesText } from "./counting-rules.ts";
import { CYCLES_FILE } from "./cycles.ts";
import { GOSSIP_FILE } from "./gossip.ts";
import { NETCONFIG_FILE } from "./netconfig.ts";
import { NODE_LIST_FILE } from "./node-list.ts";
import { TX_LIST_FILE } from "./tx-list.ts";

export interface Evidence {
  readonly nodeList: Uint8Array;
  readonly cycles: Uint8Array;
  readonly counting: CountingRules;
  /** The `/netconfig` response that proves the sharding settings; `undefined` if nothing proves them. */
  readonly netconfig?: Uint8Array | undefined;
  /** The network's list of transactions; `undefined` if the archiver gave none with the hash in a cycle record. */
  readonly txList?: Uint8Array | undefined;
  /** The archivers that were seen up; `undefined` if no archiver was asked, or it gave no list. */
  readonly archivers?: Uint8Array | undefined;
  /** One message per line, ascending by sender. */
  readonly gossip: Iterable<Uint8Array>;
}

export interface EvidenceFile {
  readonly file: string;
  readonly content: Iterable<Uint8Array>;
}

/** Returns the files of the evidence and their contents. */
export function evidenceFiles(evidence: Evidence): EvidenceFile[] {
  const { nodeList, cycles, counting, netconfig, txList, archivers, gossip } = evidence;
  return [
    { file: NODE_LIST_FILE, content: [nodeList] },
    { file: CYCLES_FILE, content: [cycles] },
    { file: COUNTING_FILE, content: [Buffer.from(countingRulesText(counting))] },
    ...(netconfig === undefined ? [] : [{ file: NETCONFIG_FILE, content: [netconfig] }]),
    ...(txList === undefined ? [] : [{ file: TX_LIST_FILE, content: [txList] }]),
    ...(archivers === undefined ? [] : [{ file: ARCHIVERS_FILE, content: [archivers] }]),
    { file: GOSSIP_FILE, content: gossip },
  ];
}
