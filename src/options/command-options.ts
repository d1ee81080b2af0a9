/** The options of each command, in the order in which its help lists them. */

import { assembleTable, planTable } from "./assemble-table.ts";
import { clusterTable } from "./cluster-table.ts";
import { collectTable, nodesTable } from "./collect-table.ts";
import { flag } from "./kinds.ts";
import { clusterOfRunTable, networkTable } from "./network-table.ts";
import { longFlag, type OptionRow, type OptionTable } from "./option-row.ts";
import { restoreTable } from "./restore-table.ts";
import { resumeTable } from "./resume-table.ts";
import { serveTable } from "./serve-table.ts";
import { seedTable, verifyTable } from "./verify-table.ts";

/** An option of a command: its row and its flag. */
export interface CommandOption extends OptionRow {
  readonly flag: string;
  /** The name in the library; `undefined` for an option that only the command line takes. */
  readonly name?: string;
}

const json = (help: string): CommandOption => ({ flag: "--json", kind: flag, help });
const quiet = (help: string): CommandOption => ({ flag: "--quiet", kind: flag, help });
const jsonLines = json("print one JSON object per line on stdout; the last one is the summary");
const verbose: CommandOption = {
  flag: "--verbose",
  kind: flag,
  help: "print debug events on stderr, each request included; the same as NODE_DEBUG=snapshot-assemble",
};
const quietRun = quiet("print only warnings, offences and failures");

/** Returns the options of several tables. An option that tables share is listed once, at its first place. */
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

/** By the name of the command; the main job has the empty name. */
export const commandOptions = {
  "": [
    ...optionsOf({ timestamp }, networkTable, clusterOfRunTable, assembleTable),
    jsonLines,
    quietRun,
    verbose,
  ],
  plan: [
    ...optionsOf(networkTable, clusterOfRunTable, planTable),
    json("print one JSON object on stdout"),
    verbose,
  ],
  verify: [
    ...optionsOf(verifyTable, seedTable),
    json("print one JSON object on stdout"),
    quiet("print nothing unless the check finds a problem"),
  ],
  restore: [...optionsOf(restoreTable), jsonLines, quiet("print only warnings and failures")],
  serve: [...optionsOf(serveTable), jsonLines, quiet("print only warnings and failures")],
  resume: [...optionsOf(resumeTable), jsonLines, quiet("print only warnings and failures")],
  cluster: [
    ...optionsOf(clusterTable),
    json("print one JSON object on stdout; a live cluster also prints each event, one object per line"),
  ],
  collect: [...optionsOf(collectTable), jsonLines, quietRun, verbose],
  nodes: [...optionsOf(nodesTable), json("print one JSON object on stdout, with the signed evidence")],
} as const satisfies Readonly<Record<string, readonly CommandOption[]>>;

export type CommandName = keyof typeof commandOptions;

const all: readonly CommandOption[] = Object.values(commandOptions).flat();

/** The flags of options that may be repeated with different values. */
export const repeatableFlags: ReadonlySet<string> = flagsWith(({ kind }) => kind.isRepeatable === true);

/** The flags of options whose value may be a URL. */
export const urlFlags: ReadonlySet<string> = flagsWith(({ kind }) => kind.takesUrl === true);

function flagsWith(has: (option: CommandOption) => boolean): Set<string> {
  return new Set(all.filter(has).map(({ flag }) => longFlag(flag)));
}
