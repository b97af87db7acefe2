import { API_VERSION } from "../base/version.ts";
import type { Program } from "../console/command.ts";
import { CLUSTER } from "./cluster-flag.ts";
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
      name: "alarm",
      summary: "Manages alarms",
      entries: [
        {
          name: "disarm",
          summary: "Disarms all alarms",
          load: async () => (await import("./alarm/disarm.ts")).command,
        },
        {
          name: "list",
          summary: "Lists all alarms",
          load: async () => (await import("./alarm/list.ts")).command,
        },
      ],
    },
    {
      name: "auth",
      summary: "Switches authentication on and off",
      entries: [
        {
          name: "disable",
          summary: "Switches authentication off",
          load: async () => (await import("./auth/disable.ts")).command,
        },
        {
          name: "enable",
          summary: "Switches authentication on",
          load: async () => (await import("./auth/enable.ts")).command,
        },
        {
          name: "status",
          summary: "Says whether authentication is on",
          load: async () => (await import("./auth/status.ts")).command,
        },
      ],
    },
    {
      name: "check",
      summary: "Checks what a cluster can do",
      entries: [
        {
          name: "datascale",
          summary: "Checks how much memory a server takes for a lot of data",
          load: async () => (await import("./check/datascale.ts")).command,
        },
        {
          name: "perf",
          summary: "Checks the performance of a cluster",
          load: async () => (await import("./check/perf.ts")).command,
        },
      ],
    },
    {
      name: "compaction",
      summary: "Gives up the history below a revision",
      load: async () => (await import("./kv/compaction.ts")).command,
    },
    {
      name: "completion",
      summary: "Prints the completion script of a shell",
      load: async () =>
        (await import("./completion/completion.ts")).completionCommand("etcdctl", () => ETCDCTL),
    },
    {
      name: "defrag",
      summary: "Defragments the databases of members",
      load: async () => (await import("./defrag.ts")).etcdctlDefrag,
    },
    {
      name: "del",
      summary: "Removes a key, or the keys of a range",
      load: async () => (await import("./kv/del.ts")).command,
    },
    {
      name: "downgrade",
      summary: "Manages downgrades of a cluster",
      entries: [
        {
          name: "cancel",
          summary: "Gives up the downgrade that is under way",
          load: async () => (await import("./downgrade/cancel.ts")).command,
        },
        {
          name: "enable",
          summary: "Begins a downgrade of the cluster",
          load: async () => (await import("./downgrade/enable.ts")).command,
        },
        {
          name: "validate",
          summary: "Checks whether the cluster can be downgraded",
          load: async () => (await import("./downgrade/validate.ts")).command,
        },
      ],
    },
    {
      name: "elect",
      summary: "Takes part in an election, or watches one",
      load: async () => (await import("./concurrency/elect.ts")).command,
    },
    {
      name: "endpoint",
      summary: "Asks endpoints about themselves",
      flags: [CLUSTER],
      entries: [
        {
          name: "hashkv",
          summary: "Prints the hash of each endpoint's keys and their history",
          load: async () => (await import("./endpoint/hashkv.ts")).command,
        },
        {
          name: "health",
          summary: "Checks whether endpoints are healthy",
          load: async () => (await import("./endpoint/health.ts")).command,
        },
        {
          name: "status",
          summary: "Prints the status of endpoints",
          load: async () => (await import("./endpoint/status.ts")).command,
        },
      ],
    },
    {
      name: "get",
      summary: "Gets a key, or the keys of a range",
      load: async () => (await import("./kv/get.ts")).command,
    },
    {
      name: "lease",
      summary: "Manages leases",
      entries: [
        {
          name: "grant",
          summary: "Creates a lease",
          load: async () => (await import("./lease/grant.ts")).command,
        },
        {
          name: "keep-alive",
          summary: "Keeps a lease alive",
          load: async () => (await import("./lease/keep-alive.ts")).command,
        },
        {
          name: "list",
          summary: "Lists all leases",
          load: async () => (await import("./lease/list.ts")).command,
        },
        {
          name: "revoke",
          summary: "Revokes a lease, and deletes its keys",
          load: async () => (await import("./lease/revoke.ts")).command,
        },
        {
          name: "timetolive",
          summary: "Says how long a lease has left",
          load: async () => (await import("./lease/timetolive.ts")).command,
        },
      ],
    },
    {
      name: "lock",
      summary: "Takes a named lock, and runs a command with it",
      load: async () => (await import("./concurrency/lock.ts")).command,
    },
    {
      name: "make-mirror",
      summary: "Copies keys to another cluster, and goes on with what changes",
      load: async () => (await import("./mirror/make-mirror.ts")).command,
    },
    {
      name: "member",
      summary: "Manages the members of a cluster",
      entries: [
        {
          name: "add",
          summary: "Adds a member to the cluster",
          load: async () => (await import("./member/add.ts")).command,
        },
        {
          name: "list",
          summary: "Lists the members of the cluster",
          load: async () => (await import("./member/list.ts")).command,
        },
        {
          name: "promote",
          summary: "Promotes a learner to a voting member",
          load: async () => (await import("./member/promote.ts")).command,
        },
        {
          name: "remove",
          summary: "Removes a member from the cluster",
          load: async () => (await import("./member/remove.ts")).command,
        },
        {
          name: "update",
          summary: "Updates the peer URLs of a member",
          load: async () => (await import("./member/update.ts")).command,
        },
      ],
    },
    {
      name: "move-leader",
      summary: "Transfers the leadership to another member",
      load: async () => (await import("./member/move-leader.ts")).command,
    },
    { name: "put", summary: "Puts a key", load: async () => (await import("./kv/put.ts")).command },
    {
      name: "role",
      summary: "Manages roles",
      entries: [
        {
          name: "add",
          summary: "Adds a role",
          load: async () => (await import("./role/add.ts")).command,
        },
        {
          name: "delete",
          summary: "Deletes a role",
          load: async () => (await import("./role/delete.ts")).command,
        },
        {
          name: "get",
          summary: "Says what a role permits",
          load: async () => (await import("./role/get.ts")).command,
        },
        {
          name: "grant-permission",
          summary: "Permits a role to use keys",
          load: async () => (await import("./role/grant-permission.ts")).command,
        },
        {
          name: "list",
          summary: "Lists all roles",
          load: async () => (await import("./role/list.ts")).command,
        },
        {
          name: "revoke-permission",
          summary: "Takes a permission from a role",
          load: async () => (await import("./role/revoke-permission.ts")).command,
        },
      ],
    },
    {
      name: "snapshot",
      summary: "Manages snapshots of a member's database",
      entries: [
        {
          name: "restore",
          summary: "Makes a data dir of a snapshot",
          load: async () => (await import("./snapshot/restore.ts")).etcdctlRestore,
        },
        {
          name: "save",
          summary: "Saves a snapshot of a member's database to a file",
          load: async () => (await import("./snapshot/save.ts")).command,
        },
        {
          name: "status",
          summary: "Checks a snapshot and says what is in it",
          load: async () => (await import("./snapshot/status.ts")).etcdctlSnapshotStatus,
        },
      ],
    },
    {
      name: "txn",
      summary: "Runs a transaction that is read from stdin",
      load: async () => (await import("./kv/txn.ts")).command,
    },
    {
      name: "user",
      summary: "Manages users",
      entries: [
        {
          name: "add",
          summary: "Adds a user",
          load: async () => (await import("./user/add.ts")).command,
        },
        {
          name: "delete",
          summary: "Deletes a user",
          load: async () => (await import("./user/delete.ts")).command,
        },
        {
          name: "get",
          summary: "Says which roles a user has",
          load: async () => (await import("./user/get.ts")).command,
        },
        {
          name: "grant-role",
          summary: "Grants a role to a user",
          load: async () => (await import("./user/grant-role.ts")).command,
        },
        {
          name: "list",
          summary: "Lists all users",
          load: async () => (await import("./user/list.ts")).command,
        },
        {
          name: "passwd",
          summary: "Changes a user's password",
          load: async () => (await import("./user/passwd.ts")).command,
        },
        {
          name: "revoke-role",
          summary: "Revokes a role from a user",
          load: async () => (await import("./user/revoke-role.ts")).command,
        },
      ],
    },
    {
      name: "version",
      summary: "Prints the version of etcdctl",
      load: async () => (await import("./version.ts")).versionCommand("etcdctl"),
    },
    {
      name: "watch",
      summary: "Watches keys, and prints what changes",
      load: async () => (await import("./watch/watch.ts")).command,
    },
  ],
};
