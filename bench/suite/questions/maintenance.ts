/** Maintenance of a server that goes on serving, beside etcd. */
import type { SuiteQuestion } from "../question.ts";
import { MAINTENANCE_SNAPSHOT } from "./maintenance-snapshot.ts";
import { MAINTENANCE_WORKS } from "./maintenance-works.ts";

export const MAINTENANCE: readonly SuiteQuestion[] = [
  ...MAINTENANCE_WORKS,
  ...MAINTENANCE_SNAPSHOT,
];
