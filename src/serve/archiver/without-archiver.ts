/**
 * The routes of restarting validators on a server without an archiver behind it. Nobody there knows the mode of the network
 * or its nodes, so nobody gets accounts. A validator then asks another archiver.
 */

import type { FastifyInstance } from "fastify";
import { restoreRoutes } from "./archiver-routes.ts";
import { errors } from "./request-checks.ts";
import { refusalText } from "./signed-text.ts";

export function withoutArchiver(app: FastifyInstance): Promise<void> {
  const refusals = {
    [restoreRoutes.data]: errors.mode,
    [restoreRoutes.list]: errors.listMode,
    [restoreRoutes.report]: "This server has no archiver behind it!",
  };
  for (const [path, error] of Object.entries(refusals)) {
    app.post(path, async (_request, reply) => {
      return await reply.type("application/json; charset=utf-8").send(refusalText(error));
    });
  }
  return Promise.resolve();
}
