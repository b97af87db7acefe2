/** The store in a process: what it does for who has it, beside other stores of a process. */
import type { SuiteQuestion } from "../question.ts";
import { STORE_GETS } from "./store-gets.ts";
import { STORE_INSTALL } from "./store-install.ts";
import { STORE_LOOP } from "./store-loop.ts";
import { STORE_PUTS } from "./store-puts.ts";
import { STORE_START } from "./store-start.ts";

export const STORE: readonly SuiteQuestion[] = [
  ...STORE_PUTS,
  ...STORE_GETS,
  ...STORE_START,
  ...STORE_LOOP,
  ...STORE_INSTALL,
];
