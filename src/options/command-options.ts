/** The options of each command, in the order of its help. */

import { assembleTable, planTable } from "./assemble-table.ts";
import { clusterTable } from "./cluster-table.ts";
import { collectTable, nodesTable } from "./collect-table.ts";
import { flag } from "./kinds.ts";
import { clusterOfRunTable, networkTable } from "./network-table.ts";
import { longFlag, type OptionRow, type OptionTable } from "./option-row.ts";
import { seedTable, verifyTable } from "./verify-table.ts";

/** An option of a command: its row, and its flag. */
export interface CommandOption extends OptionRow {
  readonly flag: string;
  /** Its name in the library; the command line alone has options without. */
  readonly name?: string;
}

const json = (help: string): CommandOption => ({ flag: "--json", kind: flag, help });
const quiet = (help: string): CommandOption => ({ flag: "--quiet", kind: flag, help });
const jsonLines = json("one JSON object a line on stdout, the last one the summary");
const verbose: CommandOption = {
  flag: "--verbose",
  kind: flag,
  help: "print debug events on stderr, down to each request, as NODE_DEBUG=snapshot-assemble does",
};
const quietRun = quiet("print nothing but warnings, offences and failures");

/** Tables may share options: each stands where it comes first. */
function optionsOf(...tables: readonly OptionTable[]): CommandOption[] {
  const seen = new Set<string>();
  return tables.flatMap((table) =>
    Object.entries(table).flatMap(([name, row]) => {
      const { flag } = row;
      if (flag === undefined || seen.has(flag)) return [];
      seen.add(flag);
      const isOfLibrary = table !== clusterOfRunTable && table !== seedTable;
      return [{ ...row, flag, ...(isOfLibrary ? { name } : {}) }];
    }),
  );
}

const { timestamp } = assembleTable;

/** By the name of the command; the main job has none. */
export const commandOptions = {
  "": [
    ...optionsOf({ timestamp }, networkTable, clusterOfRunTable, assembleTable),
    jsonLines,
    quietRun,
    verbose,
  ],
  plan: [
    ...optionsOf(networkTable, clusterOfRunTable, planTable),
    json("one JSON object on stdout"),
    verbose,
  ],
  verify: [
    json("one JSON object on stdout"),
    ...optionsOf(verifyTable, seedTable),
    quiet("print nothing unless something is wrong"),
  ],
  cluster: [
    ...optionsOf(clusterTable),
    json("one JSON object on stdout; of a live cluster, what happens as well, one object a line"),
  ],
  collect: [...optionsOf(collectTable), jsonLines, quietRun, verbose],
  nodes: [...optionsOf(nodesTable), json("one JSON object on stdout, with the signed evidence")],
} as const satisfies Readonly<Record<string, readonly CommandOption[]>>;

export type CommandName = keyof typeof commandOptions;

const all: readonly CommandOption[] = Object.values(commandOptions).flat();

/** The flags of options that may be given several times, with another value each time. */
export const repeatableFlags: ReadonlySet<string> = flagsWith(({ kind }) => kind.isRepeatable === true);

/** The flags of options whose value may be a URL. */
export const urlFlags: ReadonlySet<string> = flagsWith(({ kind }) => kind.takesUrl === true);

function flagsWith(has: (option: CommandOption) => boolean): Set<string> {
  return new Set(all.filter(has).map(({ flag }) => longFlag(flag)));
}
