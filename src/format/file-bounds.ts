/** The largest size of each file of a snapshot, by the number of its partitions. */

import { archiverListBytesMax, listBytesMax, netconfigBytesMax, txListBytesMax } from "../limits/network.ts";
import {
  countingBytesMax,
  exportDataBytesBase,
  exportDataBytesPerPartition,
  manifestBytesMax,
  nodeListBytesBase,
  nodeListBytesPerNode,
  otherEvidenceBytesMax,
  runRecordBytesBase,
  runRecordBytesMax,
  runRecordBytesPerPartition,
} from "../limits/snapshot.ts";
import { ARCHIVERS_FILE } from "./evidence/archivers.ts";
import { COUNTING_FILE } from "./evidence/counting-rules.ts";
import { CYCLES_FILE } from "./evidence/cycles.ts";
import { GOSSIP_FILE, gossipBytesMax } from "./evidence/gossip.ts";
import { NETCONFIG_FILE } from "./evidence/netconfig.ts";
import { NODE_LIST_FILE } from "./evidence/node-list.ts";
import { TX_LIST_FILE } from "./evidence/tx-list.ts";
import { EXPORT_DATA_FILE } from "./export-data.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import { RUN_FILE } from "./run-record.ts";

/** Returns the most bytes that are read of a file. */
export function fileBytesMax(file: string, numPartitions: number): number {
  switch (file) {
    case MANIFEST_FILE:
      return manifestBytesMax;
    case EXPORT_DATA_FILE:
      return exportDataBytesBase + exportDataBytesPerPartition * (numPartitions + 1);
    case RUN_FILE:
      return Math.min(runRecordBytesBase + runRecordBytesPerPartition * numPartitions, runRecordBytesMax);
    case NODE_LIST_FILE:
      return Math.min(nodeListBytesBase + nodeListBytesPerNode * numPartitions, listBytesMax);
    case CYCLES_FILE:
      return listBytesMax;
    case TX_LIST_FILE:
      return txListBytesMax;
    case ARCHIVERS_FILE:
      return archiverListBytesMax;
    case COUNTING_FILE:
      return countingBytesMax;
    case NETCONFIG_FILE:
      return netconfigBytesMax;
    case GOSSIP_FILE:
      return gossipBytesMax(numPartitions);
    default:
      return otherEvidenceBytesMax;
  }
}
