/**
 * Everything that strata is measured by, beside its peers on this machine: `npm run bench -- --help`.
 *
 * TMPDIR is the disk that is measured.
 */
import { ALL } from "./suite/all.ts";
import { benchCommand } from "./suite/command.ts";
import { describeMachine } from "./support/machine.ts";

// Of a machine, and not of what is measured: certificates alone that are read at each start of Node take 35 ms.
for (const name of ["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS"]) delete process.env[name];

process.exitCode = await benchCommand(process.argv.slice(2), process, {
  questions: ALL,
  describeMachine,
  // What draws is large: it is loaded when something is to be drawn.
  writeReport: async (result, folder) => {
    const { writeReport } = await import("./report/report.ts");
    return await writeReport(result, folder);
  },
});
