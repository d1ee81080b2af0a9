/**
 * Verifies a published snapshot offline: `node examples/verify.cjs <snapshot> [<archiver key>]`. With the archiver's
 * public key, claims that only the directory makes are findings.
 */

const { verifySnapshot } = require("snapshot-assemble");

const [directory, archiverKey] = process.argv.slice(2);

async function main() {
  const { ok, digest, claims, findings } = await verifySnapshot(directory, { archiverKey });
  console.log(`digest: ${digest}`);
  for (const { claim, basis } of claims) console.log(`${claim}: ${basis}`);
  for (const { kind, file, problem } of findings) console.log(`finding: ${kind}: ${file}: ${problem}`);
  console.log(`verified: ${ok}`);
  process.exitCode = ok ? 0 : 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
