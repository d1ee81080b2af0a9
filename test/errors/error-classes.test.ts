import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const source = new URL("../../src/", import.meta.url).pathname;

/** The text of each class that extends Error itself, by its name. Classes below it inherit the code. */
function errorClasses(): { name: string; text: string }[] {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  return files.flatMap((file) => {
    const text = readFileSync(join(source, file), "utf8");
    return [...text.matchAll(/class (\w+) extends Error \{([\s\S]*?)\n\}/g)].map(
      ([, name = "", body = ""]) => ({
        name,
        text: body,
      }),
    );
  });
}

describe("an error class", () => {
  const classes = errorClasses();

  it("is found by this test", () => {
    expect(classes.map(({ name }) => name)).toEqual(expect.arrayContaining(["SnapshotError", "FetchError"]));
  });

  it.each(classes)("$name ends in Error, states its name and has a code", ({ name, text }) => {
    expect(name).toMatch(/Error$/);
    expect(text).toContain(`override readonly name = "${name}";`);
    expect(text).toMatch(/readonly code\b/);
  });
});
