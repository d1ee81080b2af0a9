/** Generates the documentation of the options (docs/OPTIONS.md) from their tables. */

import { type CommandName, type CommandOption, commandOptions } from "./command-options.ts";

interface Section {
  readonly title: string;
  readonly text: string;
  /** Whether the library has a function with these options. */
  readonly isOfLibrary: boolean;
}

const sections: Readonly<Record<CommandName, Section>> = {
  "": {
    title: "snapshot-assemble",
    text: "Assembles a snapshot and publishes it. In the library: `assemble(options)`.",
    isOfLibrary: true,
  },
  plan: {
    title: "snapshot-assemble plan",
    text: "Shows which node would be queried for which partitions. It requests no accounts.",
    isOfLibrary: false,
  },
  verify: {
    title: "snapshot-assemble verify <directory>",
    text: "Checks a published snapshot offline. In the library: `verifySnapshot(directory, options)`.",
    isOfLibrary: true,
  },
  restore: {
    title: "snapshot-assemble restore <directory>",
    text: "Restores a published snapshot. In the library: `restore(directory, options)`.",
    isOfLibrary: true,
  },
  serve: {
    title: "snapshot-assemble serve <directory>…",
    text: "Serves published snapshots over HTTP. In the library: `serve(directories, options)`.",
    isOfLibrary: true,
  },
  resume: {
    title: "snapshot-assemble resume <directory>",
    text: "Restores a published snapshot to an archiver, with the transactions after it. In the library: `resume(directory, options)`.",
    isOfLibrary: true,
  },
  cluster: {
    title: "snapshot-assemble cluster [fixture]",
    text: "Starts a cluster of validators on this machine, to try the program with.",
    isOfLibrary: false,
  },
  collect: {
    title: "snapshot-assemble collect",
    text: "Receives the network's gossip and stores it in a hash database.",
    isOfLibrary: false,
  },
  nodes: {
    title: "snapshot-assemble nodes",
    text: "Prints the record of each node in a hash database: its messages and its offences.",
    isOfLibrary: false,
  },
};

const preface = `# Options

This file is generated from the tables in \`src/options/\`: do not edit it. A test compares it with them, and \`npx vitest run test/options -u\` writes it. \`--help\` of a command shows the same options.
`;

export function optionsDocument(): string {
  const names: readonly CommandName[] = [
    "",
    "plan",
    "verify",
    "restore",
    "serve",
    "resume",
    "collect",
    "nodes",
    "cluster",
  ];
  return [preface, ...names.map((name) => sectionText(sections[name], commandOptions[name]))].join("\n");
}

function sectionText({ title, text, isOfLibrary }: Section, options: readonly CommandOption[]): string {
  const header = ["option", ...(isOfLibrary ? ["in the library"] : []), "default", "meaning"];
  const rows = options.map((option) => [
    `\`${option.flag.replaceAll("|", "\\|")}\``,
    ...(isOfLibrary ? [option.name === undefined ? "" : `\`${option.name}\``] : []),
    escaped(defaultOf(option, isOfLibrary)),
    escaped(meaningOf(option)),
  ]);
  const lines = [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return `## ${title}\n\n${text}\n\n${lines.join("\n")}\n`;
}

function defaultOf({ default: value, defaultText, isRequired }: CommandOption, isOfLibrary: boolean): string {
  if (value === undefined) return defaultText ?? (isRequired === true ? "required" : "");
  const shown = defaultText ?? (typeof value === "object" ? JSON.stringify(value) : `\`${value}\``);
  return isRequired === true && isOfLibrary ? `${shown}; required in the library` : shown;
}

function meaningOf({ help, env, kind }: CommandOption): string {
  const choices =
    kind.choices === undefined ? "" : ` (${kind.choices.map((text) => `\`${text}\``).join(", ")})`;
  const variable = env === undefined ? "" : `; also the environment variable \`${env}\``;
  return `${help}${choices}${variable}`;
}

/** Escapes a cell that is not code: in Markdown, `<n>` is an HTML element. */
function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("<", "\\<");
}
