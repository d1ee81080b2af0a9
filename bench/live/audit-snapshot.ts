/**
 * Audits one snapshot: `npm run audit:snapshot -- <cluster's directory> <snapshot's directory>
 * [<directory of a cluster that it resumed>…]`, the oldest first.
 *
 * Prints what it compared, and the problems, as a line of JSON. Ends with 1 if it finds a problem.
 */

import { print } from "../measure.ts";
import { audit } from "./audit.ts";

const [directory, snapshot, ...earlier] = process.argv.slice(2);
if (directory === undefined || snapshot === undefined) {
  process.stderr.write(
    "usage: npm run audit:snapshot -- <cluster's directory> <snapshot's directory> [<earlier cluster's>…]\n",
  );
  process.exitCode = 2;
} else {
  const result = await audit(directory, snapshot, earlier);
  print(JSON.stringify(result));
  process.exitCode = result.ok ? 0 : 1;
}
