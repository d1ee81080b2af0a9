/**
 * Assembles a snapshot with lists from files, without an archiver:
 * `node examples/assemble-from-files.cjs <nodes> <cycles> <timestamp> <out>`.
 */

const { assemble } = require("snapshot-assemble");

const [nodes, cycles, timestamp, out] = process.argv.slice(2);

assemble({ nodes, cycles, timestamp, out }).then(
  ({ directory, networkHash, queries }) => {
    console.log(`published ${directory}`);
    console.log(`network hash: ${networkHash}`);
    for (const { node, verified, bytes } of queries)
      console.log(`${node} gave ${verified.length} partitions in ${bytes} bytes`);
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
