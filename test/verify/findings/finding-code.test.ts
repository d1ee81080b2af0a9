import { expect, it } from "vitest";
import type { ClaimName } from "../../../src/verify/findings/claims.ts";
import { codeOfFindings } from "../../../src/verify/findings/finding-code.ts";
import type { Finding, FindingKind } from "../../../src/verify/findings/findings.ts";

const of = (kind: FindingKind, claim?: ClaimName): Finding =>
  claim === undefined ? { kind, file: "f", problem: "p" } : { kind, file: "f", problem: "p", claim };

it.each<{ kind: FindingKind; code: string }>([
  { kind: "artifact-hash", code: "verification" },
  { kind: "manifest", code: "verification" },
  { kind: "network-hash", code: "verification" },
  { kind: "extra-file", code: "verification" },
  { kind: "node-list", code: "node-list" },
  { kind: "chain", code: "chain" },
  { kind: "gossip", code: "no-agreement" },
  { kind: "no-agreement", code: "no-agreement" },
  { kind: "sharding", code: "no-agreement" },
])("a finding of kind $kind has the code $code", ({ kind, code }) => {
  expect(codeOfFindings([of(kind)])).toBe(code);
});

it.each<{ claim: ClaimName; code: string }>([
  { claim: "nodeList", code: "node-list" },
  { claim: "cycle", code: "chain" },
  { claim: "sharding", code: "no-agreement" },
  { claim: "quorum", code: "no-agreement" },
])("an unproved claim about $claim has the code $code", ({ claim, code }) => {
  expect(codeOfFindings([of("unproved", claim)])).toBe(code);
});

it.each<{ id: string; findings: Finding[]; code: string }>([
  { id: "wrong bytes", findings: [of("chain"), of("artifact-hash"), of("node-list")], code: "verification" },
  { id: "the node list", findings: [of("gossip"), of("chain"), of("node-list")], code: "node-list" },
  { id: "the chain", findings: [of("no-agreement"), of("chain")], code: "chain" },
  {
    id: "what is wrong, not unproved",
    findings: [of("unproved", "nodeList"), of("gossip")],
    code: "no-agreement",
  },
])("of several findings, $id determines the code", ({ findings, code }) => {
  expect(codeOfFindings(findings)).toBe(code);
});
