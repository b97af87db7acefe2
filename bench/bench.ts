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
  // What draws is large: it is loaded when something is to be drawn.
  writeReport: async (result, folder) => {
    const { writeReport } = await import("./report/report.ts");
    return await writeReport(result, folder);
  },
});
