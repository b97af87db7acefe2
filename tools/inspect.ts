#!/usr/bin/env node
/** strata-inspect: looks into an etcd database file. docs/inspect.md says how to use it. */
import { isatty } from "node:tty";
import { progressDisplay } from "../src/console/progress.ts";
import { runInspect } from "./inspect-run.ts";

const STDOUT = 1;

// No handler for signals: there is nothing to undo, a file that is only read and a temporary one without a name.
process.exitCode = await runInspect(process.argv.slice(2), {
  stdout: STDOUT,
  stderr: (text) => process.stderr.write(text),
  help: (text) => process.stdout.write(text),
  // Asked of the descriptor: to touch process.stdout would make a pipe non-blocking.
  colour: isatty(STDOUT) && (process.env.NO_COLOR ?? "") === "",
  debug: process.env.STRATA_DEBUG === "1",
  // A report on the same terminal would be written into the bar.
  display: (mode) =>
    progressDisplay(mode === "auto" && isatty(STDOUT) ? "none" : mode, {
      stderr: process.stderr,
      env: process.env,
      now: () => new Date(),
    }),
});
