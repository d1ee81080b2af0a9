/**
 * Which addresses nodes are asked at. A node list can send us anywhere, also to services of the machine and of the
 * network that we run in; what it may name depends on where the list comes from.
 */

import { addressClass } from "../fetch/http/address-class.ts";
import type { AddressRule } from "../fetch/http/connector.ts";
import { HttpClient, type HttpTimeouts } from "../fetch/http/http-client.ts";
import { type NetworkOptions, networkDefaults } from "./network-options.ts";

export interface NetworkClients {
  /** For what the user names: the archiver, and other URLs. */
  readonly lists: HttpClient;
  /** For what the node list names. */
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
 * Link-local, multicast, unspecified and reserved addresses, and those of metadata services, are never asked.
 * Loopback and private ones are where the user says so, by naming a file with the node list or with
 * `allowPrivate`; else as the archiver's own address permits: beside an archiver on loopback, which is the
 * operator's own, there may be loopback and private validators; in an archiver's private network, private ones.
 *
 * @param archiverAddress the address that the archiver was reached at; `undefined` before that
 */
export function nodeAddressRule(
  { allowPrivate, nodes }: Pick<NetworkOptions, "allowPrivate" | "nodes">,
  archiverAddress: () => string | undefined,
): AddressRule {
  const isUsersWord = allowPrivate === true || nodes !== undefined;
  return (address) => {
    const asked = addressClass(address);
    if (asked.kind === "never") return `its address ${address} is ${asked.what} and is never asked`;
    if (asked.kind === "public" || isUsersWord) return undefined;
    const known = archiverAddress();
    const archiver = known === undefined ? "public" : addressClass(known).kind;
    if (archiver === "loopback" || archiver === asked.kind) return undefined;
    return `its address ${address} is ${asked.kind}, which the archiver's is not (see --allow-private)`;
  };
}
