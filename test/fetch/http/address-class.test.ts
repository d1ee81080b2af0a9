import { describe, expect, it } from "vitest";
import { addressClass } from "../../../src/fetch/http/address-class.ts";

const kinds: Readonly<Record<string, readonly string[]>> = {
  public: [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "2002:101:101::1",
  ],
  private: [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "198.18.0.1",
    "fc00::1",
    "fdff::1",
    "::ffff:10.0.0.1",
    "::ffff:c0a8:1",
    "::10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::102:304",
    "2002:a00:1::",
    "2001:0:1:1:1:1:f5ff:fffe",
  ],
  loopback: [
    "127.0.0.1",
    "127.255.255.255",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "2002:7f00:1::",
  ],
};

const refused: readonly { what: string; addresses: readonly string[] }[] = [
  {
    what: "that of a cloud's metadata service",
    addresses: [
      "169.254.169.254",
      "100.100.100.200",
      "168.63.129.16",
      "fd00:ec2::254",
      "::ffff:169.254.169.254",
      "64:ff9b::a9fe:a9fe",
      "2002:a9fe:a9fe::",
    ],
  },
  {
    what: "link-local",
    addresses: ["169.254.0.1", "fe80::1", "febf::1", "fe80::1%eth0", "::ffff:169.254.1.1"],
  },
  { what: "multicast", addresses: ["224.0.0.1", "239.255.255.255", "ff02::1"] },
  { what: "unspecified", addresses: ["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"] },
  { what: "reserved or broadcast", addresses: ["255.255.255.255", "240.0.0.1", "192.0.0.8"] },
  { what: "not an IP address", addresses: ["", "localhost", "1.2.3", "256.1.1.1", "1::2::3"] },
];

describe("the class of an address", () => {
  it.each(
    Object.entries(kinds).flatMap(([kind, addresses]) => addresses.map((address) => ({ address, kind }))),
  )("is $kind for $address", ({ address, kind }) => {
    expect(addressClass(address)).toEqual({ kind });
  });

  it.each(refused.flatMap(({ what, addresses }) => addresses.map((address) => ({ address, what }))))(
    "is never for $address, which is $what",
    ({ address, what }) => {
      expect(addressClass(address)).toEqual({ kind: "never", what });
    },
  );
});
