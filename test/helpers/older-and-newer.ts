/** Two clusters of one network at different times: the state of the newer one is that of the older one with changes. */

import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import { type Fixture, olderFixture } from "../../src/testnet/cluster/fixture.ts";

/**
 * Runs a test against both clusters, and stops them at its end.
 *
 * @param newer a fixture with `changes`
 */
export async function withOlderAndNewer<T>(
  newer: Fixture,
  test: (older: Cluster, newer: Cluster) => Promise<T>,
): Promise<T> {
  const first = await startCluster(olderFixture(newer));
  try {
    const second = await startCluster(newer);
    try {
      return await test(first, second);
    } finally {
      await second.stop();
    }
  } finally {
    await first.stop();
  }
}
