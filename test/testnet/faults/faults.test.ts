import { describe, expect, it } from "vitest";
import { faultHelp, faultKinds, parseFault } from "../../../src/testnet/faults/faults.ts";

describe("a fault as it is written", () => {
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
    { text: "corrupt-data", says: '"corrupt-data" is no fault' },
    { text: "-1:down", says: '"-1:down" is no fault' },
    { text: "3:sleepy", says: '"3:sleepy": there is no fault sleepy' },
    { text: "3:down=1", says: '"3:down=1": down takes no value' },
    { text: "3:lie", says: '"3:lie": lie needs a partition, as in lie=4' },
    { text: "3:busy=many", says: '"3:busy=many": "many" is no count, as in busy=3' },
    { text: "3:slow=5", says: '"3:slow=5": "5" is no duration, as in slow=500ms' },
    { text: "3:lie=-2", says: '"3:lie=-2": "-2" is no partition, as in lie=4' },
  ])("$text is refused", ({ text, says }) => {
    expect(() => parseFault(text)).toThrow(says);
  });
});

describe("the table of faults", () => {
  it("names each fault once", () => {
    const names = faultKinds.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it("is listed with a line for each, for --help", () => {
    const lines = faultHelp().split("\n");
    expect(lines).toHaveLength(faultKinds.length);
    expect(lines.every((line) => line.length <= 100)).toBe(true);
    expect(faultHelp()).toMatch(/^ {2}slow\[=<duration>\] +waits .* \(default 500ms\)$/m);
    expect(faultHelp()).toMatch(/^ {2}lie=<partition> +believes/m);
  });
});
