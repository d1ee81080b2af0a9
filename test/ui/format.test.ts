import { expect, it } from "vitest";
import { formatCounted } from "../../src/ui/format.ts";

it.each([
  { count: 0, noun: "finding", text: "0 findings" },
  { count: 1, noun: "finding", text: "1 finding" },
  { count: 2, noun: "more partition", text: "2 more partitions" },
  { count: 1234, noun: "account", text: "1,234 accounts" },
  { count: 1, noun: "agreed network hash", text: "1 agreed network hash" },
  { count: 3, noun: "agreed network hash", text: "3 agreed network hashes" },
  { count: 3, noun: "query", text: "3 queries" },
])("$count of $noun is written $text", ({ count, noun, text }) => {
  expect(formatCounted(count, noun)).toBe(text);
});
