import type { FlagSpec } from "../../console/flags.ts";

/** etcd 3.6 has more columns than scripts for 3.4 count on, and not only at the end. */
export const ALL_COLUMNS: FlagSpec = {
  name: "all-columns",
  kind: "bool",
  default: "false",
  help: "print the columns of etcd 3.6",
  hidden: true,
};
