/** Declares the commands and their help. Building the program has no side effects. */

import { Command } from "commander";
import { packageVersion } from "../app/assembly/package-version.ts";
import { SnapshotError } from "../errors/snapshot-error.ts";
import { addOptions } from "./add-options.ts";
import { type AssembleFlags, assembleExamples, runAssemble } from "./commands/assemble.ts";
import { type ClusterCommandFlags, clusterExamples, runCluster } from "./commands/cluster.ts";
import { type CollectFlags, collectExamples, collectHelp, runCollect } from "./commands/collect.ts";
import { nodesExamples, runNodes } from "./commands/nodes.ts";
import { type PlanFlags, planExamples, runPlan } from "./commands/plan.ts";
import { type RestoreFlags, restoreExamples, runRestore } from "./commands/restore.ts";
import { type ResumeFlags, resumeExamples, runResume } from "./commands/resume.ts";
import { runServe, type ServeFlags, serveExamples, serveHelp } from "./commands/serve.ts";
import { runVerify, type VerifyFlags, verifyExamples } from "./commands/verify.ts";
import { exitStatusHelp } from "./exit-status.ts";
import type { Io } from "./io.ts";
import type { Outcome } from "./outcome.ts";

export interface ProgramParts {
  readonly io: Io;
  /** The end of the help of `cluster`. */
  readonly clusterHelp: string;
  /** Receives the outcome of the command. */
  readonly end: (outcome: Outcome) => void;
}

export function buildProgram({ io, clusterHelp, end }: ProgramParts): Command {
  const program = new Command("snapshot-assemble")
    .description(
      "Assembles a verified snapshot of a sharded network's state from its validators' partial snapshots.",
    )
    .version(packageVersion(), "-V, --version", "print the version")
    .enablePositionalOptions()
    .helpCommand("help [command]", "print the help of a command")
    .hook("preSubcommand", refuseOwnOptions);
  addOptions(program, "").action(async (flags: AssembleFlags) => end(await runAssemble(flags, io)));

  const plan = program
    .command("plan")
    .summary("shows which nodes a run would query, and in which order")
    .description(
      "Shows the order of queries, the partitions that each node is expected to give, and the cost of each order. Reads the lists and the sharding settings; requests no accounts.",
    );
  addOptions(plan, "plan").action(async (flags: PlanFlags) => end(await runPlan(flags, io)));

  const verify = program
    .command("verify")
    .summary("checks a published snapshot offline")
    .description("Checks a published snapshot offline, and reports every problem.")
    .argument("<directory>", "directory of the snapshot");
  addOptions(verify, "verify").action(async (directory: string, flags: VerifyFlags) =>
    end(await runVerify(directory, flags, io)),
  );

  const restore = program
    .command("restore")
    .summary("restores a published snapshot to an archiver")
    .description(
      "Verifies a published snapshot, writes it in the form of the target, reads everything back, and puts it in place. It is all restored or nothing.",
    )
    .argument("<directory>", "directory of the snapshot");
  addOptions(restore, "restore").action(async (directory: string, flags: RestoreFlags) =>
    end(await runRestore(directory, flags, io)),
  );

  const serve = program
    .command("serve")
    .summary("serves published snapshots over HTTP, until it is stopped")
    .description("Verifies published snapshots, and serves them over HTTP.")
    .argument("<directory...>", "snapshots, or directories of published snapshots");
  addOptions(serve, "serve")
    .action(async (directories: readonly string[], flags: ServeFlags) =>
      end(await runServe(directories, flags, io)),
    )
    .addHelpText("after", serveHelp);
  const resume = program
    .command("resume")
    .summary("restores a snapshot to an archiver, with the transactions after it")
    .description(
      "Verifies a published snapshot, writes its accounts aside as the database of an archiver, applies the receipts of the transactions after it, each checked by the signatures of its validators, reads everything back, and puts it in place. It is all resumed or nothing.",
    )
    .argument("<directory>", "directory of the snapshot");
  addOptions(resume, "resume").action(async (directory: string, flags: ResumeFlags) =>
    end(await runResume(directory, flags, io)),
  );

  const cluster = program
    .command("cluster")
    .summary("starts validators on this machine, to try the program with")
    .description(
      'Starts a cluster of validators on this machine, prints its archiver\'s URL, and runs until Ctrl-C or SIGTERM. It runs a fixture, whose state does not change, or with --live validators that commit transactions. Options that begin with "live:" need --live.',
    )
    .argument("[fixture]", "name of a fixture, or path of a fixture file");
  addOptions(cluster, "cluster")
    .action(async (fixture: string | undefined, flags: ClusterCommandFlags) =>
      end(await runCluster(fixture, flags, io)),
    )
    .addHelpText("after", clusterHelp);

  const collect = program
    .command("collect")
    .summary("receives and stores the network's gossip, until it is stopped")
    .description("Receives the network's gossip, and stores messages and agreed hashes in a hash database.");
  addOptions(collect, "collect")
    .action(async (flags: CollectFlags) => end(await runCollect(flags, io)))
    .addHelpText("after", collectHelp);

  const nodes = program
    .command("nodes")
    .summary("prints what a hash database records of each node")
    .description("Prints the record of each node in a hash database: its messages and its offences.");
  addOptions(nodes, "nodes").action(async ({ hashDb }: { hashDb: string }) => end(await runNodes(hashDb)));

  const examples = {
    "": assembleExamples,
    plan: planExamples,
    verify: verifyExamples,
    restore: restoreExamples,
    serve: serveExamples,
    resume: resumeExamples,
    cluster: clusterExamples,
    collect: collectExamples,
    nodes: nodesExamples,
  };
  for (const command of [program, ...program.commands]) {
    const name = command === program ? "" : command.name();
    command
      .helpOption("-h, --help", "print this help")
      .addHelpText("before", examples[name as keyof typeof examples])
      .addHelpText("after", exitStatusHelp(name))
      .exitOverride()
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        // `report` prints a usage error once, as text or as JSON.
        writeErr: () => undefined,
      });
  }
  return program;
}

/** Refuses options that the main command has parsed, since a subcommand would ignore them. */
function refuseOwnOptions(main: Command, command: Command): void {
  const given = main.options.find((option) => main.getOptionValueSource(option.attributeName()) === "cli");
  if (given === undefined) return;
  throw new SnapshotError("usage", `${given.long} is before ${command.name()}, which would ignore it`, {
    hint: `Write the option after the command: snapshot-assemble ${command.name()} ${given.long} …`,
  });
}
