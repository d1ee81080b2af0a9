/** How large an honest file of a snapshot can be, by the number of its partitions. */

import {
  countingBytesMax,
  exportDataBytesBase,
  exportDataBytesPerPartition,
  gossipEvidenceBytesMax,
  gossipLineBytesSpare,
  gossipMessageBytesBase,
  gossipMessageBytesMax,
  gossipMessageBytesPerPartition,
  listBytesMax,
  manifestBytesMax,
  netconfigBytesMax,
  nodeListBytesBase,
  nodeListBytesPerNode,
  otherEvidenceBytesMax,
  runRecordBytesBase,
  runRecordBytesMax,
  runRecordBytesPerPartition,
} from "../limits/limits.ts";
import {
  COUNTING_FILE,
  CYCLES_FILE,
  EXPORT_DATA_FILE,
  GOSSIP_FILE,
  MANIFEST_FILE,
  NETCONFIG_FILE,
  NODE_LIST_FILE,
  RUN_FILE,
} from "./snapshot-layout.ts";

/** The most bytes of a file that are read. */
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
    case COUNTING_FILE:
      return countingBytesMax;
    case NETCONFIG_FILE:
      return netconfigBytesMax;
    case GOSSIP_FILE:
      // Each node has one message that counts, and at most one more that contradicts it.
      return Math.min(2 * numPartitions * gossipLineBytesMax(numPartitions), gossipEvidenceBytesMax);
    default:
      return otherEvidenceBytesMax;
  }
}

/** The most bytes of one message in the evidence, its end of line not counted. */
export function gossipLineBytesMax(numPartitions: number): number {
  const signedMax = gossipMessageBytesBase + gossipMessageBytesPerPartition * (numPartitions + 1);
  return Math.min(signedMax, gossipMessageBytesMax) + gossipLineBytesSpare;
}
