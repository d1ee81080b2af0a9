/** `snapshot-assemble nodes --hash-db <file>`: prints the record of each node. */

import type { NodeRecord } from "../../app/nodes.ts";
import { quoted } from "../../wire/parse.ts";
import type { Outcome } from "../outcome.ts";

export const nodesExamples = `Examples:
  $ snapshot-assemble nodes --hash-db hashes.sqlite
      prints a table: one node a line, those with the most offences first
  $ snapshot-assemble nodes --hash-db hashes.sqlite --json
      also prints each offence with the signed messages that prove it
`;

export async function runNodes(hashDb: string): Promise<Outcome> {
  const { readNodeRecords } = await import("../../app/nodes.ts");
  const { nodes, warnings } = readNodeRecords(hashDb);
  const lines = () => [...warnings.map((warning) => `warning: ${warning}`), ...describeNodes(nodes)];
  return { summary: { nodes, warnings }, lines };
}

function describeNodes(nodes: readonly NodeRecord[]): string[] {
  if (nodes.length === 0) return ["the database has no record of any node yet"];
  const rows = nodes.map(({ node, messages, lastCycle, offences }) => [
    quoted(node),
    String(messages),
    lastCycle === null ? "–" : String(lastCycle),
    String(offences.length),
    String(offences.filter(({ evidence }) => evidence !== undefined).length),
    offences[0] === undefined ? "–" : new Date(offences[0].whenMs).toISOString(),
    kindsText(offences.map(({ kind }) => kind)),
  ]);
  return tableLines([
    ["node", "messages", "last cycle", "offences", "signed", "last offence", "kinds"],
    ...rows,
  ]);
}

/** Returns a text such as `wrong-partition ×2, redirect`. */
function kindsText(kinds: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${quoted(kind)}${count > 1 ? ` ×${count}` : ""}`).join(", ");
}

function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((width, row) => Math.max(width, (row[column] ?? "").length), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
