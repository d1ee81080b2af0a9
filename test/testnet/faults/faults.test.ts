import { describe, expect, it } from "vitest";
import { faultHelp, faultKinds, parseFault } from "../../../src/testnet/faults/faults.ts";

describe("the text of a fault", () => {
  it.each([
    { text: "3:corrupt-data", node: 3, name: "corrupt-data", value: undefined },
    { text: "3:corrupt-data=-1", node: 3, name: "corrupt-data", value: -1 },
    { text: "5:slow=500ms", node: 5, name: "slow", value: 500 },
    { text: "5:slow=1.5s", node: 5, name: "slow", value: 1500 },
    { text: "0:busy", node: 0, name: "busy", value: 2 },
    { text: "12:busy=7", node: 12, name: "busy", value: 7 },
    { text: "*:no-range", node: "*", name: "no-range", value: undefined },
  ])("$text is understood", ({ text, ...fault }) => {
    expect(parseFault(text)).toMatchObject(fault);
  });

  it.each([
    { text: "corrupt-data", says: 'invalid fault "corrupt-data"' },
    { text: "-1:down", says: 'invalid fault "-1:down"' },
    { text: "3:sleepy", says: 'unknown fault "sleepy" in "3:sleepy"' },
    { text: "3:down=1", says: '"3:down=1": down takes no value' },
    { text: "3:lie", says: '"3:lie": missing partition; an example is lie=4' },
    { text: "3:busy=many", says: '"3:busy=many": invalid count "many"; an example is busy=3' },
    { text: "3:slow=5", says: '"3:slow=5": invalid duration "5"; an example is slow=500ms' },
    { text: "3:lie=-2", says: '"3:lie=-2": invalid partition "-2"; an example is lie=4' },
  ])("$text is refused", ({ text, says }) => {
    expect(() => parseFault(text)).toThrow(says);
  });
});

describe("the table of faults", () => {
  it("names each fault once", () => {
    const names = faultKinds.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it("has one line for each fault in the text of --help", () => {
    const lines = faultHelp().split("\n");
    expect(lines).toHaveLength(faultKinds.length);
    expect(lines.every((line) => line.length <= 100)).toBe(true);
    expect(faultHelp()).toMatch(/^ {2}slow\[=<duration>\] +delays .* \(default 500ms\)$/m);
    expect(faultHelp()).toMatch(/^ {2}lie=<partition> +votes for/m);
  });
});
