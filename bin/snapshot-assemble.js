#!/usr/bin/env node
const { main } = await import("../dist/cli/main.js").catch((error) => {
  // Anything else is a broken install, of which the error itself says most.
  if (error.code !== "EMFILE" && error.code !== "ENFILE") throw error;
  process.stderr.write(`error: too few files can be open at the same time: ${error.message}\n`);
  process.stderr.write("hint: Raise the limit, such as with ulimit -n 1024, and run again.\n");
  process.exit(2);
});

await main();
