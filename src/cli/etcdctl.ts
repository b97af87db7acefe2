import { API_VERSION } from "../base/version.ts";
import type { Program } from "../console/command.ts";
import { checkApiVersion, ETCDCTL_GLOBAL_FLAGS } from "./global-flags.ts";
import { SHOWN_VERSION } from "./version.ts";

export const ETCDCTL: Program = {
  name: "etcdctl",
  summary: "A command line client for etcd",
  version: SHOWN_VERSION,
  apiVersion: API_VERSION,
  globalFlags: ETCDCTL_GLOBAL_FLAGS,
  checkEnv: checkApiVersion,
  entries: [
    {
      name: "defrag",
      summary: "Defragments the database of a member",
      load: async () => (await import("./defrag.ts")).etcdctlDefrag,
    },
    {
      name: "snapshot",
      summary: "Manages snapshots of a member's database",
      entries: [
        {
          name: "status",
          summary: "Checks a snapshot and says what is in it",
          load: async () => (await import("./snapshot-status.ts")).etcdctlSnapshotStatus,
        },
      ],
    },
    {
      name: "version",
      summary: "Prints the version of etcdctl",
      load: async () => (await import("./version.ts")).versionCommand("etcdctl"),
    },
  ],
};
