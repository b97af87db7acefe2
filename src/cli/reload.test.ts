import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { loopbackPorts } from "../../test/support/loopback-ports.ts";
import { MemoryIo } from "../../test/support/memory-io.ts";
import { openMemoryMember } from "../../test/support/memory-member.ts";
import { readInvocation } from "../server/config/command-line.ts";
import { LIVE_SETTINGS, type LiveTarget } from "../server/live-settings.ts";
import type { LogFields, Logger } from "../server/logging/logger.ts";
import { reload } from "./reload.ts";
import { runServer } from "./serve.ts";

type Line = readonly [level: string, message: string, fields: LogFields | undefined];

function listening(lines: Line[]): Logger {
  const say = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push([level, message, fields]);
  const [debug, info, warn] = [say("debug"), say("info"), say("warn")];
  const log = { debug, info, warn, error: say("error"), fatal: say("fatal") };
  return { ...log, from: () => listening(lines) };
}

/** A member in memory that was started with a file of these lines. */
async function rig(text: string | undefined) {
  const file = join(scratchFolder("reload"), "strata.yml");
  if (text !== undefined) writeFileSync(file, text);
  const args = text === undefined ? [] : ["--config-file", file];
  const started = await readInvocation(args, {});
  if (started.kind !== "run") throw new Error("it was to run");
  const { quotaBytes, quotaMode, autoDisarm, quotaSoftLimit } = started.config;
  const rules = { quotaBytes, quotaMode, autoDisarm, quotaSoftLimit };
  const member = await openMemoryMember(rules);
  const autoDefrag = { current: started.config.autoDefrag };
  const target: LiveTarget = { member, autoDefrag, level: started.log.level };
  const lines: Line[] = [];
  return {
    file,
    member,
    target,
    /** @returns what was logged */
    async reloaded(changed: string): Promise<Line[]> {
      if (text !== undefined) writeFileSync(file, changed);
      await reload(target, { args, env: {}, started, log: listening(lines) });
      return lines.splice(0);
    },
  };
}

test("what can be changed is; the rest is named, each time, until a restart", async () => {
  const { file, member, target, reloaded } = await rig("quota-backend-bytes: 1000\n");
  const first = await reloaded(
    [
      "quota-backend-bytes: 5000000",
      "quota-mode: allocatable",
      "quota-soft-limit: 0.7",
      "auto-disarm: true",
      "auto-defrag: dbSizeFree > 1GiB",
      "auto-defrag-rate: 16",
      "log-level: debug",
      "max-txn-ops: 5",
      "snapshot-count: 7",
      "heartbeat-interval: 100",
    ].join("\n"),
  );
  expect(first).toEqual([
    [
      "info",
      "the configuration file was read again",
      {
        path: file,
        changed: [
          "quota-backend-bytes: 1000 -> 5000000",
          "quota-mode: size -> allocatable",
          "quota-soft-limit: 0 -> 0.7",
          "auto-disarm: false -> true",
          "auto-defrag: off -> dbSizeFree > 1GiB (every 1h0m0s at most, at 16 MiB/s)",
          "log-level: info -> debug",
        ],
      },
    ],
    [
      "warn",
      "these settings need a restart",
      { path: file, flags: ["max-txn-ops", "snapshot-count"] },
    ],
  ]);
  expect(member.space.rules).toEqual({
    quotaBytes: 5_000_000,
    quotaMode: "allocatable",
    autoDisarm: true,
    quotaSoftLimit: 0.7,
  });
  expect([member.status().quotaBytes, target.level]).toEqual([5_000_000, "debug"]);
  // What somebody has changed by hand is as the file says again; and what it does not say, as by default.
  member.setQuota(77);
  const [second, ...more] = await reloaded("quota-backend-bytes: 5000000\nmax-txn-ops: 5\n");
  expect(second?.[2]?.changed).toEqual([
    "quota-backend-bytes: 77 -> 5000000",
    "quota-mode: allocatable -> size",
    "quota-soft-limit: 0.7 -> 0",
    "auto-disarm: true -> false",
    "auto-defrag: dbSizeFree > 1GiB (every 1h0m0s at most, at 16 MiB/s) -> off",
    "log-level: debug -> info",
  ]);
  expect(more).toEqual([
    ["warn", "these settings need a restart", { path: file, flags: ["max-txn-ops"] }],
  ]);
  await member.close();
});

test.each([
  ["quota-backend-bytes: [", /^error converting YAML to JSON: yaml: line 1: /],
  [
    "quota-backend-bytes: 9\nquota-mode: both",
    /^invalid value "both" for quota-mode: invalid value$/,
  ],
  [
    "quota-soft-limit: 1.5",
    /^invalid value 1.5 for quota-soft-limit: must be at least 0 and below 1$/,
  ],
  ["quota-backend-bytes: 9\nlog-level: loud", /^unrecognized level: "loud"$/],
  ["quota-backend-bytes: 9\nheartbeat-interval: 0", /^--heartbeat-interval must be >0/],
  ["quota-backend-bytes: 9\nproxy: 'on'", /^--proxy is not supported/],
])("a bad file is one line, and nothing is changed: %j", async (text, why) => {
  const { file, member, reloaded } = await rig("quota-backend-bytes: 1000\n");
  const lines = await reloaded(text);
  expect(lines).toEqual([
    [
      "error",
      "the configuration file is not taken, and nothing is changed",
      { path: file, error: expect.stringMatching(why) },
    ],
  ]);
  expect(member.space.rules.quotaBytes).toBe(1000);
  await member.close();
});

test("a missing file is as bad, and without one there is a warning", async () => {
  const without = await rig(undefined);
  expect(await without.reloaded("")).toEqual([
    ["warn", "received SIGHUP, but there is no --config-file to be read again", undefined],
  ]);
  await without.member.close();
  expect(new Set(LIVE_SETTINGS.map(({ flag }) => flag)).size).toBe(LIVE_SETTINGS.length);
});

test("the server hears of a SIGHUP, also while it starts", async () => {
  const folder = scratchFolder("reload");
  const [client = 0] = await loopbackPorts(1);
  const [file, log] = [join(folder, "strata.yml"), join(folder, "log")];
  const url = `http://127.0.0.1:${client}`;
  const text = (quota: number): string =>
    [
      `data-dir: ${join(folder, "data")}`,
      `listen-client-urls: ${url}`,
      `advertise-client-urls: ${url}`,
      `log-outputs: ${log}`,
      `quota-backend-bytes: ${quota}`,
    ].join("\n");
  const changes = (): unknown[] => {
    io.hangUp();
    return readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line.includes("was read again"))
      .map((line) => JSON.parse(line).changed);
  };
  writeFileSync(file, text(1_000_000));
  const io = new MemoryIo();
  const ended = runServer(["--config-file", file], io);
  io.hangUp();
  const lineOf = (quota: number) => [`quota-backend-bytes: ${quota - 1_000_000} -> ${quota}`];
  try {
    await expect.poll(changes, { timeout: 10_000 }).toContainEqual([]);
    writeFileSync(file, text(2_000_000));
    await expect.poll(changes).toContainEqual(lineOf(2_000_000));
  } finally {
    io.send("SIGTERM");
  }
  expect(await ended).toBe(143);
});
