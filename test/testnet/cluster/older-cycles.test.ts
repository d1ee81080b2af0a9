/** Requests for older cycle records to a cluster's archiver (PROTOCOL.md, Cycle records). */

import { generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import { isSignedBy, ownerOf, signed } from "../../../src/protocol/crypto/signature.ts";
import { withCluster } from "./small-cluster.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const sender = ownerOf(privateKey);

it.each([
  { id: "some", start: 2, end: 4, counters: [2, 3, 4] },
  { id: "the newest", start: 10, end: 100, counters: [10, 11] },
  { id: "none", start: 50, end: 60, counters: [] },
])(
  "an archiver returns the records of a range of cycles in ascending order: $id",
  async ({ start, end, counters }) => {
    await withCluster({}, async ({ archiverUrl }) => {
      const body = JSON.stringify(signed({ start, end, sender }, privateKey));
      const response = await fetch(`${archiverUrl}/cycleinfo`, { method: "POST", body });
      const answer = (await response.json()) as { cycleInfo: { counter: number }[] };
      expect(answer.cycleInfo.map(({ counter }) => counter)).toEqual(counters);
      expect(isSignedBy(answer)).toBe(true);
    });
  },
);

it.each([
  { id: "unsigned", body: { start: 1, end: 2, sender }, says: "not signed" },
  {
    id: "of too many cycles",
    body: signed({ start: 0, end: 101, sender }, privateKey),
    says: "more than 101 cycles",
  },
  { id: "without a range", body: signed({ sender }, privateKey), says: "cycle records: start: " },
])("an archiver refuses a request that is $id", async ({ body, says }) => {
  await withCluster({}, async ({ archiverUrl }) => {
    const response = await fetch(`${archiverUrl}/cycleinfo`, { method: "POST", body: JSON.stringify(body) });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(says);
  });
});
