import { describe, expect, it } from "vitest";
import { addressPrefix } from "../../src/http-server/address-prefix.ts";

describe("the prefix of an address", () => {
  it.each([
    { id: "of IPv4 is the address", address: "192.0.2.7", prefix: "192.0.2.7" },
    { id: "of IPv4 in IPv6 is that of IPv4", address: "::ffff:192.0.2.7", prefix: "192.0.2.7" },
    { id: "of IPv4 in IPv6, in hex, is that of IPv4", address: "::FFFF:c000:207", prefix: "192.0.2.7" },
    { id: "of IPv6 is its /64", address: "2001:db8:1:2:3:4:5:6", prefix: "2001:db8:1:2::/64" },
    {
      id: "of IPv6 with zeros left out is its /64",
      address: "2001:db8::1:2:3:4:5",
      prefix: "2001:db8:0:1::/64",
    },
    { id: "of IPv6 has no leading zeros", address: "2001:0db8:0001::1", prefix: "2001:db8:1:0::/64" },
    { id: "of a link-local address has no zone", address: "fe80::1%eth0", prefix: "fe80:0:0:0::/64" },
    { id: "of loopback is a /64 as well", address: "::1", prefix: "0:0:0:0::/64" },
  ])("$id", ({ address, prefix }) => expect(addressPrefix(address)).toBe(prefix));
});
