/** Parses the body of `POST /snapshot` for a validator, which answers a malformed one with status 400. */

import { HttpError } from "../../http-server/http-error.ts";
import * as request from "../../wire/snapshot-request.ts";

/**
 * Parses the body of `POST /snapshot`.
 *
 * @throws HttpError with status 400
 */
export function parseSnapshotRequest(body: string): request.SnapshotRequest {
  try {
    return request.parseSnapshotRequest(body);
  } catch (error) {
    if (error instanceof request.SnapshotRequestError) throw new HttpError(400, error.message);
    throw error;
  }
}
