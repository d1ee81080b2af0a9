/**
 * Decides which addresses may receive requests. A node list can name any address, including services of the local machine
 * and network, so the permitted addresses depend on the source of the list.
 */

import { addressClass } from "../fetch/http/address-class.ts";
import type { AddressRule } from "../fetch/http/connector.ts";
import { HttpClient, type HttpTimeouts } from "../fetch/http/http-client.ts";
import { type NetworkOptions, networkDefaults } from "./network-options.ts";

export interface NetworkClients {
  /** For URLs from the user, such as that of the archiver. */
  readonly lists: HttpClient;
  /** For URLs from the node list. */
  readonly nodes: HttpClient;
  close(): Promise<void>;
}

export function openClients(options: NetworkOptions): NetworkClients {
  const timeouts: HttpTimeouts = {
    connectTimeoutMs: options.connectTimeoutMs ?? networkDefaults.connectTimeoutMs,
    stallTimeoutMs: options.stallTimeoutMs ?? networkDefaults.stallTimeoutMs,
  };
  const lists = new HttpClient(timeouts);
  const { archiver } = options;
  const archiverAddress = () => (archiver === undefined ? undefined : lists.addressOf(archiver));
  const nodes = new HttpClient(timeouts, nodeAddressRule(options, archiverAddress));
  return {
    lists,
    nodes,
    close: async () => {
      await Promise.all([lists.close(), nodes.close()]);
    },
  };
}

/**
 * Returns the rule for addresses of nodes; it throws for one that may not receive requests. Link-local, multicast,
 * unspecified and reserved addresses, and those of metadata services, never receive requests.
 * Loopback and private addresses do if the user permits them, by a file with the node list or with `allowPrivate`.
 * Otherwise the archiver's address decides: with an archiver on loopback, which belongs to the operator, loopback and
 * private addresses are permitted; with an archiver in a private network, private ones.
 *
 * @param archiverAddress returns the address of the connection to the archiver; `undefined` before the first one
 */
export function nodeAddressRule(
  { allowPrivate, nodes }: Pick<NetworkOptions, "allowPrivate" | "nodes">,
  archiverAddress: () => string | undefined,
): AddressRule {
  const isPermittedByUser = allowPrivate === true || nodes !== undefined;
  return (address) => {
    const node = addressClass(address);
    if (node.kind === "never") return `its address ${address} is ${node.what} and never receives requests`;
    if (node.kind === "public" || isPermittedByUser) return undefined;
    const known = archiverAddress();
    const archiver = known === undefined ? "public" : addressClass(known).kind;
    if (archiver === "loopback" || archiver === node.kind) return undefined;
    return `its address ${address} is ${node.kind}, which the archiver's is not (see --allow-private)`;
  };
}
