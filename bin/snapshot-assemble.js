#!/usr/bin/env node
const limits = {
  EMFILE:
    "Too many files are open: raise the limit of open files of this process (ulimit -n), and run again.",
  ENFILE: "Too many files are open on this machine: raise its limit (sysctl fs.file-max), and run again.",
  ENOMEM:
    "There is too little memory: free some or raise the limit of this process (ulimit -v), and run again.",
};

try {
  const { main } = await import("../dist/cli/main.js");
  await main();
} catch (error) {
  // The program's own files could not all be opened: nothing of it may be there to say so.
  const hint = limits[error?.code];
  if (hint === undefined) throw error;
  process.stderr.write(`error: the program cannot be loaded: ${error.message}\nhint: ${hint}\n`);
  process.exitCode = 12;
}
