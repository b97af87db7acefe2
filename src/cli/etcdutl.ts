import { API_VERSION } from "../base/version.ts";
import type { Program } from "../console/command.ts";
import { WRITE_OUT } from "./output-format.ts";
import { SHOWN_VERSION } from "./version.ts";

export const ETCDUTL: Program = {
  name: "etcdutl",
  summary: "An administrative command line tool for etcd's files, without a server",
  version: SHOWN_VERSION,
  apiVersion: API_VERSION,
  globalFlags: [WRITE_OUT],
  entries: [
    {
      name: "completion",
      summary: "Prints the completion script of a shell",
      load: async () =>
        (await import("./completion/completion.ts")).completionCommand("etcdutl", () => ETCDUTL),
    },
    {
      name: "defrag",
      summary: "Defragments the database of a stopped member",
      load: async () => (await import("./defrag.ts")).etcdutlDefrag,
    },
    {
      name: "hashkv",
      summary: "Prints the hash of a database's keys and their history",
      load: async () => (await import("./utl/hashkv.ts")).command,
    },
    {
      name: "migrate",
      summary: "Changes the storage version of a stopped member's data dir",
      load: async () => (await import("./utl/migrate.ts")).command,
    },
    {
      name: "snapshot",
      summary: "Manages snapshots of a member's database",
      entries: [
        {
          name: "restore",
          summary: "Makes a data dir of a snapshot",
          load: async () => (await import("./snapshot/restore.ts")).etcdutlRestore,
        },
        {
          name: "status",
          summary: "Checks a snapshot and says what is in it",
          load: async () => (await import("./snapshot/status.ts")).etcdutlSnapshotStatus,
        },
      ],
    },
    {
      name: "version",
      summary: "Prints the version of etcdutl",
      load: async () => (await import("./version.ts")).versionCommand("etcdutl"),
    },
  ],
};
