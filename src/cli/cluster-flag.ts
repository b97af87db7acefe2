/** `--cluster` of endpoint and defrag. */
import type { FlagSpec } from "../console/flags.ts";

export const CLUSTER: FlagSpec = {
  name: "cluster",
  kind: "bool",
  default: "false",
  help: "use all endpoints from the cluster member list",
};
