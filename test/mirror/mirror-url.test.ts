import { describe, expect, it } from "vitest";
import { fileUrl, mirrorName, onlySnapshotOf } from "../../src/mirror/mirror-url.ts";
import { asMirrorUrl, isMirrorUrl } from "../../src/protocol/brands.ts";

const timestamp = 1_700_000_540_000;
const file = "export-manifest.json";

describe("the URL of a mirror", () => {
  it.each([
    { id: "a server", url: "http://a.example", at: "http://a.example/snapshot-1700000540000" },
    { id: "a directory", url: "http://a.example/x/", at: "http://a.example/x/snapshot-1700000540000" },
    {
      id: "one snapshot",
      url: "http://a.example/snapshot-1700000540000/",
      at: "http://a.example/snapshot-1700000540000",
    },
    {
      id: "a directory whose name begins like that of a snapshot",
      url: "http://a.example/snapshot-archive",
      at: "http://a.example/snapshot-archive/snapshot-1700000540000",
    },
  ])("can be that of $id", ({ url, at }) => {
    expect(fileUrl(url, timestamp, file)).toBe(`${at}/${file}`);
  });

  it("keeps its user, password and query for requests, and shows none of them", () => {
    const url = "https://user:s3cret@a.example/x?token=t0ken#part";
    expect(fileUrl(url, timestamp, file)).toContain(
      `user:s3cret@a.example/x/snapshot-${timestamp}/${file}?token=t0ken`,
    );
    expect(mirrorName(url)).toBe("https://***@a.example/x?***#***");
  });

  it.each([
    { url: `http://a.example/snapshot-${timestamp}`, only: timestamp },
    { url: `http://a.example/snapshot-${timestamp}/?token=t0ken`, only: timestamp },
    { url: "http://a.example/snapshots", only: undefined },
  ])("of one snapshot names its moment: $url", ({ url, only }) => {
    expect(onlySnapshotOf(url)).toBe(only);
  });
});

describe("the name of a mirror", () => {
  it.each([
    "https://user@a.example",
    "https://***:s3cret@a.example",
    "https://a.example/?token=t0ken",
    "https://a.example/#part",
    "ftp://a.example",
    "a".repeat(64),
  ])("is not %s", (text) => {
    expect(isMirrorUrl(text)).toBe(false);
    expect(() => asMirrorUrl(text)).toThrow(/^the URL of a mirror is an HTTP URL without secrets$/);
  });

  it.each(["http://127.0.0.1:80", "https://***@a.example/x?***#***"])("can be %s", (text) => {
    expect(asMirrorUrl(text)).toBe(text);
  });
});
