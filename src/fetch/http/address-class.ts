/** Classifies IP addresses, for the rule about which addresses may receive requests. */

import { BlockList, isIP } from "node:net";

/** No validator runs at an address of the kind `never`, and a request to it may do harm; `what` describes the address. */
export type AddressClass =
  | { readonly kind: "public" | "private" | "loopback" }
  | { readonly kind: "never"; readonly what: string };

type Range = readonly [address: string, prefixBits: number];

const loopback = blockListOf([
  ["127.0.0.0", 8],
  ["::1", 128],
]);

/** Includes shared address space (RFC 6598), benchmarking (RFC 2544), and site-local IPv6. */
const privateNetworks = blockListOf([
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["198.18.0.0", 15],
  ["fc00::", 7],
  ["fec0::", 10],
  ["64:ff9b:1::", 48],
]);

/** Forbidden ranges; the first match applies. */
const never: readonly { readonly what: string; readonly list: BlockList }[] = [
  {
    what: "that of a cloud's metadata service",
    list: blockListOf([
      ["169.254.169.254", 32],
      ["100.100.100.200", 32],
      ["168.63.129.16", 32],
      ["192.0.0.192", 32],
      ["fd00:ec2::254", 128],
      ["fd20:ce::254", 128],
    ]),
  },
  {
    what: "link-local",
    list: blockListOf([
      ["169.254.0.0", 16],
      ["fe80::", 10],
    ]),
  },
  {
    what: "multicast",
    list: blockListOf([
      ["224.0.0.0", 4],
      ["ff00::", 8],
    ]),
  },
  {
    what: "unspecified",
    list: blockListOf([
      ["0.0.0.0", 8],
      ["::", 128],
    ]),
  },
  {
    what: "reserved or broadcast",
    list: blockListOf([
      ["240.0.0.0", 4],
      ["192.0.0.0", 24],
    ]),
  },
];

/** IPv6 forms that embed an IPv4 address, and the index of the group at which it begins. */
const embeddings: readonly {
  readonly list: BlockList;
  readonly group: number;
  readonly isInverted?: true;
}[] = [
  { list: blockListOf([["::ffff:0:0", 96]]), group: 6 },
  { list: blockListOf([["::", 96]]), group: 6 },
  { list: blockListOf([["::ffff:0:0:0", 96]]), group: 6 },
  { list: blockListOf([["64:ff9b::", 96]]), group: 6 },
  { list: blockListOf([["64:ff9b:1::", 48]]), group: 6 },
  { list: blockListOf([["2002::", 16]]), group: 1 },
  { list: blockListOf([["2001::", 32]]), group: 6, isInverted: true },
];

/** @param address an IP address; a zone (`%eth0`) is ignored */
export function addressClass(address: string): AddressClass {
  const [bare = ""] = address.split("%", 1);
  const version = isIP(bare);
  if (version === 0) return { kind: "never", what: "not an IP address" };
  if (version === 6) {
    const own = classOf(bare, "ipv6");
    // `::` and `::1` have the form of embedded addresses but are not.
    if (own.kind !== "public" && own.kind !== "private") return own;
    const embedded = embeddedIpv4(bare);
    return embedded === undefined ? own : stricter(own, classOf(embedded, "ipv4"));
  }
  return classOf(bare, "ipv4");
}

function classOf(address: string, family: "ipv4" | "ipv6"): AddressClass {
  const refused = never.find(({ list }) => list.check(address, family));
  if (refused !== undefined) return { kind: "never", what: refused.what };
  if (loopback.check(address, family)) return { kind: "loopback" };
  return { kind: privateNetworks.check(address, family) ? "private" : "public" };
}

/** Returns the stricter of an address's class and that of the address it embeds. */
function stricter(own: AddressClass, embedded: AddressClass): AddressClass {
  return embedded.kind === "public" ? own : embedded;
}

function embeddedIpv4(address: string): string | undefined {
  const embedding = embeddings.find(({ list }) => list.check(address, "ipv6"));
  if (embedding === undefined) return undefined;
  const { group, isInverted } = embedding;
  return groupsOf(address)
    .slice(group, group + 2)
    .map((value) => (isInverted === true ? 0xffff - value : value))
    .flatMap((value) => [value >> 8, value & 0xff])
    .join(".");
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  // The URL parser writes every form, those that end in IPv4 included, in hexadecimal groups.
  const { hostname } = new URL(`http://[${address}]`);
  const [head = "", tail] = hostname.slice(1, -1).split("::");
  const numbers = (text: string) =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const first = numbers(head);
  const last = numbers(tail ?? "");
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function blockListOf(ranges: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const [address, prefixBits] of ranges) {
    list.addSubnet(address, prefixBits, isIP(address) === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
