import type { Question } from "../support/question.ts";
import { BULK_LOAD } from "./bulk-load.ts";
import { FULL_SCAN } from "./full-scan.ts";
import { OPEN } from "./open.ts";
import { RANDOM_GET } from "./random-get.ts";
import { RANDOM_PUTS } from "./random-puts.ts";

export const PAGE_FILE_QUESTIONS: readonly Question[] = [
  BULK_LOAD,
  ...RANDOM_PUTS,
  FULL_SCAN,
  ...RANDOM_GET,
  OPEN,
];
