/** Every family of questions, in the order in which they are asked and shown. */
import type { SuiteQuestion } from "./question.ts";
import { MICRO } from "./questions/micro.ts";
import { PAGE_FILE } from "./questions/page-file.ts";

export const ALL: readonly SuiteQuestion[] = [...MICRO, ...PAGE_FILE];
