import { describe, expect, it } from "vitest";
import { findingCharactersMax, findingsMax } from "../../../src/limits/snapshot.ts";
import { asPartition } from "../../../src/protocol/brands.ts";
import { FindingList } from "../../../src/verify/findings/finding-list.ts";
import { faultOfMessage, hostileText } from "../../wire/hostile-text.ts";

describe("a list of findings", () => {
  it("keeps a finding with its partition or its claim", () => {
    const findings = new FindingList();
    findings.add("artifact-hash", "partition-00001.json", "wrong", { partition: asPartition(1) });
    findings.add("unproved", "evidence/cycles.json", "told", { claim: "cycle" });
    expect(findings.all).toEqual([
      { kind: "artifact-hash", file: "partition-00001.json", partition: 1, problem: "wrong" },
      { kind: "unproved", file: "evidence/cycles.json", claim: "cycle", problem: "told" },
    ]);
  });

  it("counts the same problem of a file once, and of two files twice", () => {
    const findings = new FindingList();
    for (const file of ["a", "a", "b"]) findings.add("evidence", file, "wrong");
    expect(findings.all.map(({ file }) => file)).toEqual(["a", "b"]);
    expect(findings.omitted).toBe(0);
  });

  it("only counts the findings beyond its bound", () => {
    const findings = new FindingList();
    for (let number = 0; number < findingsMax + 3; number++) findings.add("gossip", "file", `line ${number}`);
    expect(findings.all).toHaveLength(findingsMax);
    expect(findings.omitted).toBe(3);
  });

  it("makes files and problems printable on one line", () => {
    const findings = new FindingList();
    findings.add("extra-file", hostileText, `${hostileText.slice(0, 300)}\nnext`);
    const [finding] = findings.all;
    expect(faultOfMessage(finding?.file ?? "")).toBeUndefined();
    expect(faultOfMessage(finding?.problem ?? "")).toBeUndefined();
    expect(finding?.problem).toMatch(/ next$/);
  });

  it("shortens long problems", () => {
    const findings = new FindingList();
    findings.add("gossip", "file", "x".repeat(findingCharactersMax));
    findings.add("gossip", "file", "y".repeat(findingCharactersMax + 1));
    expect(findings.all.map(({ problem }) => problem)).toEqual([
      "x".repeat(findingCharactersMax),
      `${"y".repeat(findingCharactersMax)}…`,
    ]);
  });
});
