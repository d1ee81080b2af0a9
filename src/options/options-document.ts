/** The documentation of the options (docs/OPTIONS.md), from their table. */

import { type CommandName, type CommandOption, commandOptions } from "./command-options.ts";

interface Section {
  readonly title: string;
  readonly text: string;
  /** Whether the options have names in the library. */
  readonly isOfLibrary: boolean;
}

const sections: Readonly<Record<CommandName, Section>> = {
  "": {
    title: "snapshot-assemble",
    text: "Assembles a snapshot. In the library: `assemble(options)`.",
    isOfLibrary: true,
  },
  plan: {
    title: "snapshot-assemble plan",
    text: "Shows the order of requests, and requests no accounts.",
    isOfLibrary: false,
  },
  verify: {
    title: "snapshot-assemble verify <directory>",
    text: "Checks a published snapshot offline. In the library: `verifySnapshot(directory, options)`.",
    isOfLibrary: true,
  },
  cluster: {
    title: "snapshot-assemble cluster [fixture]",
    text: "Starts a cluster to try the program with.",
    isOfLibrary: false,
  },
  collect: {
    title: "snapshot-assemble collect",
    text: "Receives gossip, and keeps it in a hash database.",
    isOfLibrary: false,
  },
  nodes: {
    title: "snapshot-assemble nodes",
    text: "Prints the record of each node in a hash database.",
    isOfLibrary: false,
  },
};

const preface = `# Options

This file is generated from the table of options in \`src/options/\`. A test compares them.
`;

export function optionsDocument(): string {
  const names: readonly CommandName[] = ["", "plan", "verify", "collect", "nodes", "cluster"];
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

/** What is no code: `<n>` would be an element of HTML. */
function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("<", "\\<");
}
