/** What the documents and comments point at exists: files, links, and headings of the specification. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function filesUnder(directory: string, extension: RegExp): string[] {
  const names = readdirSync(join(root, directory), { recursive: true, encoding: "utf8" });
  return names.filter((name) => extension.test(name)).map((name) => `${directory}/${name}`);
}

const atRoot = readdirSync(root).filter((name) => name.endsWith(".md"));
/** The changelog names files as they were. */
const documents = [...atRoot.filter((name) => name !== "CHANGELOG.md"), ...filesUnder("docs", /\.md$/)];

/** Every match of a pattern's first group, with the file that it is in. */
function matchesIn(files: readonly string[], pattern: RegExp): { file: string; match: string }[] {
  return files.flatMap((file) =>
    [...read(file).matchAll(pattern)].map(([, match = ""]) => ({ file, match })),
  );
}

/** Of a document's headings, the text and the anchor that links use. */
function headingsOf(file: string): { text: string; anchor: string }[] {
  return matchesIn([file], /^#{1,6} +(.+)$/gm).map(({ match }) => {
    const text = match.replaceAll("`", "").replace(/ \*\(design\)\*$/, "");
    const anchor = match
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    return { text, anchor };
  });
}

describe("the documents", () => {
  it("name only files of the project that exist", () => {
    const named = matchesIn(
      documents,
      /(?<![\w./-])((?:src|test|scripts|docs|bin|assembly|examples|fixtures)\/[\w./-]*\w\/?)/g,
    );
    // A path of what the build makes names no source.
    const missing = named.filter(({ match }) => !existsSync(join(root, match)));
    expect(named.length).toBeGreaterThan(50);
    expect(missing.map(({ file, match }) => `${file}: ${match}`)).toEqual([]);
  });

  it("link to files and headings that exist", () => {
    const links = matchesIn(documents, /\]\(([^)\s]+)\)/g).filter(({ match }) => !/^[a-z]+:/.test(match));
    const broken = links.filter(({ file, match }) => {
      const [path = "", anchor] = match.split("#");
      const target = path === "" ? file : join(dirname(file), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !headingsOf(target).some((heading) => heading.anchor === anchor);
    });
    expect(links.length).toBeGreaterThan(30);
    expect(broken.map(({ file, match }) => `${file}: ${match}`)).toEqual([]);
  });

  it("say of each decision its status, date, context, decision, alternatives and cost", () => {
    const records = filesUnder("docs/decisions", /\/?\d{4}-.*\.md$/);
    const incomplete = records.filter((file) => {
      const sections = headingsOf(file).map(({ text }) => text);
      const wanted = ["Context", "Decision", "Alternatives", "Cost"];
      return (
        !/^Status: [a-z][^\n]*\. Date: \d{4}-\d\d-\d\d\.$/m.test(read(file)) ||
        sections.slice(1).join() !== wanted.join()
      );
    });
    expect(incomplete).toEqual([]);
    const listed = matchesIn(["docs/decisions/README.md"], /\]\((\d{4}-[\w-]+\.md)\)/g);
    expect(listed.map(({ match }) => `docs/decisions/${match}`).sort()).toEqual([...records].sort());
  });
});

/** Lines of a comment are joined, so that a citation may go on in the next one. */
function proseOf(file: string): string {
  return read(file).replace(/\s*\n\s*(?:\*(?!\/)|\/\/|;;)?\s*/g, " ");
}

interface Citation {
  readonly file: string;
  readonly specification: "PROTOCOL" | "FORMAT";
  /** What follows the comma; `undefined` where the whole document is cited. */
  readonly heading: string | undefined;
}

function citationsIn(files: readonly string[]): Citation[] {
  return files.flatMap((file) => {
    const found = proseOf(file).matchAll(/(PROTOCOL|FORMAT)\.md(?:, ([^.)*`]+(?:\.json)?))?/g);
    return [...found].map(([, name, heading]) => ({
      file,
      specification: name === "FORMAT" ? "FORMAT" : "PROTOCOL",
      heading: heading?.trim(),
    }));
  });
}

/** Whether a citation names a heading or several: `Time`, `Time and Cycle records`, `Partition gossip: state metadata`. */
function namesHeadings(cited: string, headings: readonly string[]): boolean {
  const begins = headings.filter((heading) => cited.startsWith(heading));
  return begins.some((heading) => {
    const rest = cited.slice(heading.length);
    if (rest === "" || rest.startsWith(":") || rest.startsWith(", ")) return true;
    const next = /^ and (.+)$/.exec(rest)?.[1];
    return next !== undefined && namesHeadings(next, headings);
  });
}

describe("citations of the specification", () => {
  const self = "test/documents.test.ts";
  const cited = [
    ...["src", "test", "assembly", "examples", "scripts"].flatMap((directory) =>
      filesUnder(directory, /\.(?:ts|js|cjs|mjs)$/),
    ),
    ...documents.filter((file) => !file.startsWith("docs/spec/")),
  ].filter((file) => file !== self);
  const citations = citationsIn(cited);
  const headings = {
    PROTOCOL: headingsOf("docs/spec/PROTOCOL.md").map(({ text }) => text),
    FORMAT: headingsOf("docs/spec/FORMAT.md").map(({ text }) => text),
  };

  it("name headings that exist", () => {
    const dangling = citations.filter(
      ({ specification, heading }) =>
        heading !== undefined && !namesHeadings(heading, headings[specification]),
    );
    expect(
      dangling.map(({ file, specification, heading }) => `${file}: ${specification}.md, ${heading}`),
    ).toEqual([]);
    expect(citations.filter(({ heading }) => heading !== undefined).length).toBeGreaterThan(50);
  });

  it("would be found where they name no heading", () => {
    expect(namesHeadings("Time", headings.PROTOCOL)).toBe(true);
    expect(namesHeadings("Time and Cycle records", headings.PROTOCOL)).toBe(true);
    expect(namesHeadings("Partition gossip: state metadata", headings.PROTOCOL)).toBe(true);
    expect(namesHeadings("Timeliness", headings.PROTOCOL)).toBe(false);
    expect(namesHeadings("Time and Tide", headings.PROTOCOL)).toBe(false);
  });
});
