/** The command line: what there is, and its help. Building it has no side effects. */

import { Command } from "commander";
import { packageVersion } from "../app/assembly/package-version.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import {
  type AssembleFlags,
  addAssembleOptions,
  assembleExamples,
  orderOption,
  runAssemble,
} from "./commands/assemble.ts";
import {
  addClusterCommandOptions,
  type ClusterCommandFlags,
  clusterExamples,
  runCluster,
} from "./commands/cluster.ts";
import { addCollectOptions, type CollectFlags, collectExamples, runCollect } from "./commands/collect.ts";
import { nodesExamples, runNodes } from "./commands/nodes.ts";
import { type PlanFlags, planExamples, runPlan } from "./commands/plan.ts";
import { addVerifyOptions, runVerify, type VerifyFlags, verifyExamples } from "./commands/verify.ts";
import { exitStatusHelp } from "./exit-status.ts";
import type { Io } from "./io.ts";
import { addNetworkOptions } from "./network-options.ts";
import type { Outcome } from "./outcome.ts";
import { addClusterOption } from "./with-cluster.ts";

export interface ProgramParts {
  readonly io: Io;
  /** Text that only the `cluster` command's help needs. */
  readonly clusterHelp: string;
  /** Takes what the command came to. */
  readonly end: (outcome: Outcome) => void;
}

export function buildProgram({ io, clusterHelp, end }: ProgramParts): Command {
  const program = new Command("snapshot-assemble")
    .description(
      "Assembles a verified snapshot of a sharded network's state from its validators' partial snapshots.",
    )
    .version(packageVersion())
    .enablePositionalOptions()
    .helpCommand(true)
    .hook("preSubcommand", refuseOwnOptions);
  addAssembleOptions(program).action(async (flags: AssembleFlags) => end(await runAssemble(flags, io)));

  addClusterOption(addNetworkOptions(program.command("plan")))
    .description(
      "Shows the order of queries, which node is expected to give what, and what each order costs. It reads the lists and the sharding settings, and requests no accounts.",
    )
    .option("--timestamp <time>", "the snapshot's time, whose cycle the node list must be of")
    .option("--hash-db <file>", "a hash database: nodes with a bad record are asked later")
    .addOption(orderOption())
    .option("--json", "one JSON object on stdout")
    .action(async (flags: PlanFlags) => end(await runPlan(flags, io)));

  addVerifyOptions(program.command("verify")).action(async (directory: string, flags: VerifyFlags) =>
    end(await runVerify(directory, flags, io)),
  );

  addClusterCommandOptions(program.command("cluster"))
    .action(async (fixture: string | undefined, flags: ClusterCommandFlags) =>
      end(await runCluster(fixture, flags, io)),
    )
    .addHelpText("after", clusterHelp);

  addCollectOptions(program.command("collect")).action(async (flags: CollectFlags) =>
    end(await runCollect(flags, io)),
  );

  program
    .command("nodes")
    .description("Prints the record of each node in a hash database: what it sent, and what it did wrong.")
    .requiredOption("--hash-db <file>", "the hash database")
    .option("--json", "one JSON object on stdout, with the signed evidence")
    .action(async ({ hashDb }: { hashDb: string }) => end(await runNodes(hashDb)));

  const examples = {
    "": assembleExamples,
    plan: planExamples,
    verify: verifyExamples,
    cluster: clusterExamples,
    collect: collectExamples,
    nodes: nodesExamples,
  };
  for (const command of [program, ...program.commands]) {
    const name = command === program ? "" : command.name();
    command
      .addHelpText("before", `${examples[name as keyof typeof examples]}\n`)
      .addHelpText("after", exitStatusHelp(name))
      .exitOverride()
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        // A usage error is told once, by whoever knows whether a person or a machine reads it.
        writeErr: () => undefined,
      });
  }
  return program;
}

/** What the main command has parsed, no other one would use. `readCommandLine` leaves such options only before `--`. */
function refuseOwnOptions(main: Command, command: Command): void {
  const given = main.options.find((option) => main.getOptionValueSource(option.attributeName()) === "cli");
  if (given === undefined) return;
  throw new SnapshotError("usage", `${given.long} stands before ${command.name()}, and would be ignored`, {
    hint: `Write it after the name of the command: snapshot-assemble ${command.name()} ${given.long} …`,
  });
}
