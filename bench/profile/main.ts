/** A CPU profile and a flame graph of strata's side of one question: `npm run profile -- --help`. */
import { join } from "node:path";
import { ALL } from "../suite/all.ts";
import { profileCommand } from "./command.ts";

process.exitCode = await profileCommand(process.argv.slice(2), {
  questions: ALL,
  program: join(import.meta.dirname, "ours.js"),
  write: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
});
