import { expect, it } from "vitest";
import { parseSnapshotTime } from "../../../src/trust/chain/timestamp.ts";

it.each(["2023-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2023-04-31T00:00Z"])(
  "%s is not a timestamp",
  (text) => {
    expect(() => parseSnapshotTime(text)).toThrow(expect.objectContaining({ code: "usage" }));
  },
);
