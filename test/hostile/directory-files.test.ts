/** Snapshot directories with invalid files. Each is a finding, and reading it has a bounded cost. */

import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifySnapshot } from "../../src/app/verify.ts";
import { runRecordText } from "../../src/format/run-record.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import type { Findings } from "../../src/verify/findings/findings.ts";
import { commandLine } from "../cli/command-line.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { faultOfMessage } from "../wire/hostile-text.ts";
import { forge } from "./forged-snapshot.ts";

let scratch: string;
let original: string;
beforeAll(async () => {
  scratch = makeTemporaryDirectory();
  original = await forge(scratch);
});
afterAll(() => removeDirectory(scratch));

function copied(change: (path: (file: string) => string) => void): string {
  const directory = join(temporaryDirectory(), "copy");
  cpSync(original, directory, { recursive: true });
  change((file) => join(directory, file));
  return directory;
}

async function findingsOf(directory: string): Promise<Findings> {
  const { status, summary } = await commandLine(["verify", "--json", directory]);
  expect([4, 6, 7, 8]).toContain(status);
  const findings = summary() as unknown as Findings;
  for (const { file, problem } of findings.findings) {
    expect(faultOfMessage(file)).toBeUndefined();
    expect(/\p{Cc}/u.test(problem)).toBe(false);
  }
  return findings;
}

const found = ({ findings }: Findings) => findings.map(({ kind, file }) => `${kind} ${file}`);

interface RunRecord {
  files: Record<string, string>;
}

/** Writes files, and a record of the run that lists them, so no file looks damaged. */
function rewrite(path: (file: string) => string, changes: Record<string, string | Buffer>): void {
  const { files } = JSON.parse(readFileSync(path("run.json"), "utf8")) as RunRecord;
  const listed = { ...files };
  for (const [file, content] of Object.entries(changes)) {
    writeFileSync(path(file), content);
    if (file in files) listed[file] = hashText(content);
  }
  writeFileSync(path("run.json"), runRecordText({}, listed, DEFAULT_HASH_KEY));
}

describe("a record of the run", () => {
  const hashed = (fields: object) => {
    const {
      files: _,
      hash,
      ...rest
    } = JSON.parse(runRecordText(fields, {}, DEFAULT_HASH_KEY)) as RunRecord & {
      hash: string;
    };
    return `${JSON.stringify({ ...rest, hash }, null, 2)}\n`;
  };

  it.each([
    { id: "lists null", text: () => JSON.stringify({ files: null, hash: "" }) },
    { id: "lists nothing at all", text: () => hashed({}) },
    { id: "lists a text", text: () => JSON.stringify({ files: "x", hash: "" }) },
    { id: "lists a list", text: () => JSON.stringify({ files: [], hash: "" }) },
    { id: "lists a number for a hash", text: () => JSON.stringify({ files: { "run.json": 1 } }) },
    { id: "lists paths", text: () => JSON.stringify({ files: { "../../etc/passwd": "0".repeat(64) } }) },
    { id: "is null", text: () => "null" },
    { id: "is a number", text: () => "1" },
    { id: "is nested deeply", text: () => `{"files":{},"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}` },
    { id: "is wide", text: () => `{"files":{},"a":[${"{},".repeat(600_000)}{}]}` },
    { id: "has an invalid big integer", text: () => '{"files":{},"a":{"dataType":"bi","value":"zz"}}' },
    { id: "is empty", text: () => "" },
  ])("that $id is a finding", async ({ text }) => {
    const findings = await findingsOf(copied((path) => writeFileSync(path("run.json"), text())));
    expect(found(findings)).toContain("run-record run.json");
  });
});

describe("every other small file", () => {
  const contents = {
    null: "null",
    "a number": "1",
    "an empty list": "[]",
    "an empty object": "{}",
    "a list of lists": "[[]]",
    "a list of nulls": "[null]",
    "lists of null": '{"nodeList":null,"cycleInfo":null,"sharding":null,"config":null}',
    "lists with null in them":
      '{"nodeList":[null],"cycleInfo":[null],"sharding":{},"config":{"sharding":null},"sign":[]}',
    "a deep value": `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
    "an invalid big integer": '{"nodeList":[],"cycleInfo":[],"sign":{"dataType":"bi","value":"-"}}',
    "an invalid config": '{"config":{"sharding":{"nodesPerConsensusGroup":9007199254740991}}}',
    "no text": Buffer.from([0xff, 0xfe, 0x00, 0x80]),
  };
  const files = [
    "evidence/counting.json",
    "evidence/cycles.json",
    "evidence/gossip.jsonl",
    "evidence/netconfig.json",
    "evidence/node-list.json",
  ];
  const cases = files.flatMap((file) =>
    Object.entries(contents).map(([id, content]) => ({ file, id, content })),
  );

  it.each(cases)("$file that contains $id is a finding", async ({ file, content }) => {
    const findings = await findingsOf(copied((path) => rewrite(path, { [file]: content })));
    expect(findings.findings.length).toBeGreaterThan(0);
  });

  it.each([
    { id: "a bad big integer", change: { a: { dataType: "bi", value: "zz" } } },
    { id: "600 levels", change: { a: JSON.parse(`${"[".repeat(490)}${"]".repeat(490)}`) as unknown } },
  ])("a cycle record with $id is a finding", async ({ change }) => {
    const text = readFileSync(join(original, "evidence/cycles.json"), "utf8");
    const { cycleInfo } = JSON.parse(text) as { cycleInfo: object[] };
    const records = cycleInfo.map((record) => ({ ...record, ...change }));
    const findings = await findingsOf(
      copied((path) => rewrite(path, { "evidence/cycles.json": JSON.stringify(records) })),
    );
    expect(found(findings)).toContain("chain evidence/cycles.json");
  });
});

describe("a link or a special file", () => {
  it("is a finding if the evidence is a link, and nothing is read through it", async () => {
    const directory = copied((path) => {
      renameSync(path("evidence"), path("../elsewhere"));
      symlinkSync("../elsewhere", path("evidence"));
    });
    const findings = await findingsOf(directory);
    expect(found(findings)).toContain("evidence evidence/gossip.jsonl");
    expect(findings.votes.every(({ votesFor }) => votesFor === 0)).toBe(true);
  });

  const files = [
    "export-data.jsonl",
    "run.json",
    "partition-00003.json",
    "evidence/gossip.jsonl",
    "evidence/node-list.json",
    "evidence/cycles.json",
    "evidence/counting.json",
    "evidence/netconfig.json",
  ];
  it.each(files)("is a finding if %s is a link", async (file) => {
    const findings = await findingsOf(
      copied((path) => {
        renameSync(path(file), path("../elsewhere"));
        symlinkSync(path("../elsewhere"), path(file));
      }),
    );
    expect(findings.findings.map((finding) => finding.file)).toContain(file);
  });

  it.each(files)("is a finding if %s is a FIFO", async (file) => {
    const directory = copied((path) => {
      unlinkSync(path(file));
      execFileSync("mkfifo", [path(file)]);
    });
    const findings = await findingsOf(directory);
    expect(findings.findings.map((finding) => finding.file)).toContain(file);
    unlinkSync(join(directory, file));
  });

  it("is a finding if an artifact is a socket", async () => {
    const directory = copied((path) => unlinkSync(path("partition-00003.json")));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(directory, "partition-00003.json"), resolve));
    const findings = await findingsOf(directory);
    await new Promise((resolve) => server.close(resolve));
    expect(found(findings)).toContain("artifact-unreadable partition-00003.json");
  });
});

describe("a file that nothing names", () => {
  it("is a finding in every folder", async () => {
    const directory = copied((path) => {
      writeFileSync(path("passwords.txt"), "");
      writeFileSync(path(".hidden"), "");
      writeFileSync(path("evidence/more.json"), "{}");
      writeFileSync(path("partition-00015.json"), "[]");
      mkdirSync(path("more"));
      mkdirSync(path("evidence/more"));
      writeFileSync(path("\u001b[2Jevil\nhint: run curl"), "");
    });
    const findings = await findingsOf(directory);
    expect(found(findings).sort()).toEqual([
      "extra-file  [2Jevil hint: run curl",
      "extra-file .hidden",
      "extra-file evidence/more",
      "extra-file evidence/more.json",
      "extra-file more",
      "extra-file partition-00015.json",
      "extra-file passwords.txt",
    ]);
  });

  it("is not a finding if the record of the run lists it with its hash", async () => {
    const list = (hash: string) =>
      copied((path) => {
        writeFileSync(path("evidence/later.json"), "{}");
        const { files } = JSON.parse(readFileSync(path("run.json"), "utf8")) as RunRecord;
        const listed = { ...files, "evidence/later.json": hash };
        writeFileSync(path("run.json"), runRecordText({}, listed, DEFAULT_HASH_KEY));
      });
    expect((await verifySnapshot(list(hashText("{}")))).findings).toEqual([]);
    expect(found(await findingsOf(list(hashText("[]"))))).toEqual(["evidence evidence/later.json"]);
  });

  it("is counted if too many exist to list", async () => {
    const directory = copied((path) => {
      for (let number = 0; number < 1_500; number++) writeFileSync(path(`extra-${number}`), "");
    });
    const { findings, findingsOmitted } = await findingsOf(directory);
    expect({ listed: findings.length, omitted: findingsOmitted }).toEqual({ listed: 1_000, omitted: 500 });
    const { stderr } = await commandLine(["verify", directory]);
    expect(stderr).toContain("and 500 more findings");
  });
});

describe("artifacts of more bytes than the manifest states", () => {
  const artifact = "partition-00003.json";

  it("are not read if they are sparse and huge", async () => {
    const directory = copied((path) => truncateSync(path(artifact), 40 * 2 ** 30));
    const findings = await findingsOf(directory);
    expect(found(findings)).toEqual([
      "artifact-unreadable partition-00003.json",
      "totals export-manifest.json",
    ]);
    expect(findings.partitions.verified).toBe(15);
  });

  it("are read up to the first hole if the manifest states the size of a sparse file", async () => {
    const bytes = 40 * 2 ** 30;
    const directory = copied((path) => {
      truncateSync(path(artifact), bytes);
      const manifest = readFileSync(path("export-manifest.json"), "utf8");
      rewrite(path, { "export-manifest.json": manifest.replace(/"bytes": \d+/, `"bytes": ${2 * bytes}`) });
    });
    expect(found(await findingsOf(directory))).toEqual(["artifact-unreadable partition-00003.json"]);
  });

  it("are inflated no further than the stated size", async () => {
    const directory = copied((path) => {
      rmSync(path(artifact));
      const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20, "x"), { level: 6 });
      bomb[9] = 0xff;
      writeFileSync(path(`${artifact}.gz`), bomb);
      const manifest = readFileSync(path("export-manifest.json"), "utf8");
      rewrite(path, { "export-manifest.json": manifest.replace(artifact, `${artifact}.gz`) });
    });
    const findings = await findingsOf(directory);
    expect(found(findings)).toContain(`artifact-unreadable ${artifact}.gz`);
    expect(found(findings)).toContain("totals export-manifest.json");
    expect(findings.bytes).toBeLessThan(statSync(join(directory, "export-manifest.json")).size * 100);
  });
});

describe("votes in the evidence", () => {
  it("that are malformed are findings, line by line, up to a bound", async () => {
    const lines = Array.from({ length: 1_200 }, (_, number) => `{"garbage":${number}}`);
    const directory = copied((path) => rewrite(path, { "evidence/gossip.jsonl": lines.join("\n") }));
    const { findings, findingsOmitted } = await findingsOf(directory);
    expect(findings.length).toBe(1_000);
    expect(findingsOmitted).toBeGreaterThan(200);
  });

  it("that are one endless line are not kept in memory", async () => {
    const directory = copied((path) => rewrite(path, { "evidence/gossip.jsonl": "x".repeat(200_000) }));
    const { findings } = await findingsOf(directory);
    expect(findings.find(({ kind }) => kind === "gossip")?.problem).toMatch(
      /^line 1: it has more than \d+ bytes$/,
    );
  });
});
