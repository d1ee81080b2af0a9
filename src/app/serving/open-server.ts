/** Puts the routes of a server of snapshots together. */

import { serveEndMs } from "../../limits/serve.ts";
import type { Listen } from "../../options/option-texts.ts";
import { ServerMetrics } from "../../serve/metrics.ts";
import type { ServeReporter } from "../../serve/reporter.ts";
import { cycleRoutes } from "../../serve/routes/cycle-routes.ts";
import { fileRoutes } from "../../serve/routes/file-routes.ts";
import { stateRoutes } from "../../serve/routes/state-routes.ts";
import { statusRoutes } from "../../serve/routes/status-routes.ts";
import type { ServedSnapshot } from "../../serve/served-snapshot.ts";
import type { SigningKey } from "../../serve/signing-key.ts";
import { SnapshotServer } from "../../serve/snapshot-server.ts";
import { SnapshotSet } from "../../serve/snapshot-set.ts";
import type { RestoringValidators } from "./restoring-validators.ts";

export interface ServerParts {
  readonly served: readonly ServedSnapshot[];
  readonly key: SigningKey;
  readonly restoring: RestoringValidators;
  readonly reporter: ServeReporter | undefined;
}

export interface OpenServer {
  /** Listens, and returns the URL. */
  readonly listen: (listen: Listen) => Promise<string>;
  readonly close: () => Promise<void>;
}

export function openServer({ served, key, restoring, reporter }: ServerParts): OpenServer {
  const snapshots = new SnapshotSet(served);
  for (const snapshot of served) {
    snapshot.onChange = ({ name, problem }) =>
      reporter?.report(
        problem === undefined ? { type: "recovered", name } : { type: "changed", name, problem },
      );
  }
  const warn = (message: string) => reporter?.report({ type: "warning", message });
  const server = new SnapshotServer(warn);
  const metrics = new ServerMetrics(snapshots);
  metrics.measure(server);
  server.register(statusRoutes, { snapshots, metrics });
  server.register(fileRoutes, { snapshots });
  server.register(stateRoutes, { snapshots, warn });
  server.register(cycleRoutes, { snapshots, key });
  restoring.register(server);
  return {
    listen: async (listen) => {
      const url = await server.listen(listen);
      snapshots.watch();
      return url;
    },
    close: async () => {
      snapshots.unwatch();
      await server.close(serveEndMs);
      metrics.registry.clear();
    },
  };
}
