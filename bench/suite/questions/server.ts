/** The server over the wire, beside etcd. */
import type { SuiteQuestion } from "../question.ts";
import { SERVER_FAN_OUT } from "./server-fan-out.ts";
import { SERVER_LOAD } from "./server-load.ts";
import { SERVER_MEMORY } from "./server-memory.ts";

export const SERVER: readonly SuiteQuestion[] = [
  ...SERVER_LOAD,
  ...SERVER_FAN_OUT,
  ...SERVER_MEMORY,
];
