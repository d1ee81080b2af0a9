/**
 * Address prefixes, the unit of the bounds on clients. An IPv6 host usually has its own /64 network with 2^64 addresses,
 * so all addresses of a /64 count as one client. An IPv4 address, in any form, is its own prefix.
 */

const ipv4Mapped = /^::ffff:(?:(\d{1,3}(?:\.\d{1,3}){3})|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/;

const GROUPS = 8;
const NETWORK_GROUPS = 4;

export function addressPrefix(address: string): string {
  if (!address.includes(":")) return address;
  const [bare = ""] = address.toLowerCase().split("%", 1);
  const [, dotted, high, low] = ipv4Mapped.exec(bare) ?? [];
  if (dotted !== undefined) return dotted;
  if (high !== undefined && low !== undefined) return [...bytesOf(high), ...bytesOf(low)].join(".");
  const [before = "", after] = bare.split("::");
  const [first, last] = [groupsOf(before), groupsOf(after ?? "")];
  const zeros = Array.from({ length: Math.max(0, GROUPS - first.length - last.length) }, () => "0");
  return `${[...first, ...zeros, ...last].slice(0, NETWORK_GROUPS).join(":")}::/64`;
}

function bytesOf(group: string): [number, number] {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

/** The groups without leading zeros. The last two may be written as an IPv4 address. */
function groupsOf(text: string): string[] {
  if (text === "") return [];
  return text
    .split(":")
    .flatMap((group) => (group.includes(".") ? ["v4", "v4"] : [Number.parseInt(group, 16).toString(16)]));
}
