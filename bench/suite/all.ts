/** Every family of questions, in the order in which they are asked and shown. */
import type { SuiteQuestion } from "./question.ts";
import { COMMANDS } from "./questions/commands.ts";
import { MAINTENANCE } from "./questions/maintenance.ts";
import { MICRO } from "./questions/micro.ts";
import { PAGE_FILE } from "./questions/page-file.ts";
import { SERVER } from "./questions/server.ts";
import { STORE } from "./questions/store.ts";

/** The order of the families is that of the groups. */
export const ALL: readonly SuiteQuestion[] = [
  ...MICRO,
  ...PAGE_FILE,
  ...STORE,
  ...SERVER,
  ...MAINTENANCE,
  ...COMMANDS,
];
