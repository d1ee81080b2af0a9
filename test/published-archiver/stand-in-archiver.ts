/**
 * Responds as the published archiver does to the requests of these tests, for tests that need only Node and npm. The same
 * histories run against the published archiver and prove the equivalence.
 */

import { onTestFinished } from "vitest";
import { HttpError } from "../../src/http-server/http-error.ts";
import { isSignedBy, ownerOf, signed } from "../../src/protocol/crypto/signature.ts";
import type { Identity } from "../../src/testnet/validator/identity.ts";
import { JsonServer, readBody, sendJson, urlOf } from "../../src/testnet/validator/json-server.ts";
import type { NodeLife, StoredRecord } from "./core-records.ts";

const recordsMax = 100;

/** @param active the nodes after the newest record */
export async function standInArchiver(
  { privateKey }: Identity,
  records: readonly StoredRecord[],
  active: readonly NodeLife[],
): Promise<string> {
  const nodeList = active.map(({ identity: { id, publicKey }, port }) => ({
    id,
    ip: "127.0.0.1",
    port,
    publicKey,
  }));
  const server = new JsonServer(async (request, response) => {
    const { pathname } = urlOf(request);
    const send = (body: object) => sendJson(response, signed(body, privateKey));
    if (pathname === "/full-nodelist") return send({ nodeList });
    if (pathname === "/archivers") {
      const { localAddress: ip, localPort: port } = request.socket;
      return send({ activeArchivers: [{ publicKey: ownerOf(privateKey), ip, port }] });
    }
    if (pathname === "/network-txs-list") return sendJson(response, []);
    if (request.method === "POST" && pathname === "/cycleinfo") {
      return send(rangeOf(records, JSON.parse(await readBody(request, 4096)) as RangeRequest));
    }
    const count = Number(/^\/cycleinfo\/(.*)$/.exec(pathname)?.[1] ?? "0");
    if (!(count > 0)) throw new HttpError(404, "not found");
    return send({ cycleInfo: records.slice(-Math.min(count, recordsMax)).reverse() });
  });
  onTestFinished(() => server.close());
  return await server.listen("127.0.0.1");
}

interface RangeRequest {
  readonly start: number;
  readonly end: number;
  readonly sender: string;
  readonly sign: { readonly owner: string };
}

function rangeOf(records: readonly StoredRecord[], request: RangeRequest): object {
  const { start, end, sender, sign } = request;
  if (sender !== sign.owner || !isSignedBy(request)) return { success: false, error: "Invalid signature" };
  if (end - start > recordsMax) {
    return { success: false, error: `Exceed maximum limit of ${recordsMax} cycles` };
  }
  return { cycleInfo: records.filter(({ counter }) => counter >= start && counter <= end) };
}
