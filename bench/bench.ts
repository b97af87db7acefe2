/**
 * Everything that strata is measured by, beside its peers on this machine: `npm run bench -- --help`.
 *
 * TMPDIR is the disk that is measured.
 */
import { ALL } from "./suite/all.ts";
import { benchCommand } from "./suite/command.ts";
import { describeMachine } from "./support/machine.ts";

process.exitCode = await benchCommand(process.argv.slice(2), process, {
  questions: ALL,
  describeMachine,
  // The plotting library is loaded by whoever wants a plot.
  writeReport: async (result, folder) =>
    (await import("./report/report.ts")).writeReport(result, folder),
});
