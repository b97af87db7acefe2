import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { goldenPath } from "../../../test/support/golden.ts";
import { SELF_MAINTAIN_DEFRAG_RULE } from "../../engine/self-maintenance.ts";
import { type Invocation, readInvocation } from "./command-line.ts";
import { variableOf } from "./environment.ts";
import { SERVER_FLAGS, serverFlag } from "./flag-table.ts";
import { assertAdvertised } from "./initial-cluster.ts";
import { initialMembers, minLeaseTtl, type ServerConfig } from "./server-config.ts";
import { defaultOf } from "./settings.ts";
import { flagsText } from "./usage.ts";

async function configured(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<ServerConfig> {
  const invocation = await readInvocation(args, env);
  if (invocation.kind === "refused") throw invocation.error;
  if (invocation.kind !== "run") throw new Error(`it is ${invocation.kind}`);
  return invocation.config;
}

async function refusal(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const invocation = await readInvocation(args, env);
  return invocation.kind === "refused" ? invocation.error.message : `it is ${invocation.kind}`;
}

function messages(invocation: Invocation): string[] {
  if (invocation.kind !== "run" && invocation.kind !== "refused") return [];
  return invocation.remarks.map(({ level, message }) => `${level} ${message}`);
}

describe("the table of flags", () => {
  /** Where ours differ from the list, and why. */
  const OTHER_DEFAULTS: ReadonlyMap<string, string> = new Map([
    ["compaction-batch-limit", "a step of the engine is as long as its time allows"],
  ]);

  interface Row {
    readonly names: readonly string[];
    readonly shown: string;
    readonly relevance: string;
  }

  const rows: Row[] = readFileSync(goldenPath("server-flags.txt"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (flag|---)/.test(line))
    .map((line) => {
      const [, flags = "", shown = "", relevance = ""] = line.split("|").map((cell) => cell.trim());
      const names = flags
        .replace(/\([^)]*\)|`[^`]*`/g, "")
        .split(/,|→/)
        .map((name) => name.trim().split(" ")[0] ?? "")
        .filter((name) => name !== "");
      return { names, shown, relevance };
    });
  const known = rows.flatMap(({ names, ...row }) => names.map((name) => ({ name, ...row })));
  const matching = (name: string): string[] =>
    name.includes("*")
      ? SERVER_FLAGS.map((flag) => flag.name).filter((one) =>
          new RegExp(`^${name.replaceAll("*", ".*")}$`).test(one),
        )
      : [name];

  test("has every flag of the list", () => {
    expect(known.length).toBeGreaterThan(90);
    for (const { name } of known) {
      for (const one of matching(name)) expect([one, serverFlag(one)?.name]).toEqual([one, one]);
      expect([name, matching(name).length > 0]).toEqual([name, true]);
    }
  });

  test("what must work does, and what may be refused is", () => {
    const wrong = known.flatMap(({ name, relevance }) =>
      matching(name)
        .map((one) => `${one}: ${relevance}, ${serverFlag(one)?.relevance}`)
        .filter((one) => /: A, (?!works)/.test(one)),
    );
    // Of users, roles and the JSON API, which are not there yet.
    expect(wrong).toEqual(
      ["auth-token", "auth-token-ttl", "bcrypt-cost", "enable-grpc-gateway"].map(
        (name) => `${name}: A, accepted`,
      ),
    );
  });

  test("has the defaults of the list", () => {
    const seen: string[] = [];
    for (const { names, shown } of rows) {
      const [name = ""] = names;
      const [text] = /^(?:0 = |empty)?`?([^` →(]*)`?$/.exec(shown) ?? [];
      if (
        text === undefined ||
        shown === "" ||
        names.some((one) => OTHER_DEFAULTS.has(one)) ||
        text.startsWith("0 =")
      )
        continue;
      const flag = serverFlag(name);
      if (flag === undefined) continue;
      seen.push(name);
      const expected = text.replaceAll("`", "").replace(/^(empty|<name>\.etcd)$/, "");
      const value = String(defaultOf(flag));
      const off = flag.kind === "bool" ? "false" : "0";
      const typed = expected === "off" ? off : expected;
      const asFlag = String(defaultOf({ ...flag, default: typed }));
      expect([name, value]).toEqual([name, asFlag]);
    }
    expect(seen.length).toBeGreaterThan(40);
  });

  test("every default is one that could be typed, and every name has a variable", () => {
    for (const flag of SERVER_FLAGS) expect(() => defaultOf(flag)).not.toThrow();
    expect(variableOf("quota-backend-bytes")).toBe("ETCD_QUOTA_BACKEND_BYTES");
    const help = flagsText();
    for (const { name } of SERVER_FLAGS) expect(help).toContain(`--${name}`);
    for (const line of help.split("\n")) expect(line.length).toBeLessThan(140);
  });
});

describe("values", () => {
  test("without any, etcd's defaults", async () => {
    const config = await configured([]);
    expect(config).toMatchObject({
      name: "default",
      dataDir: "default.etcd",
      walDir: "",
      initialCluster: "default=http://localhost:2380",
      clusterToken: "etcd-cluster",
      quotaBytes: 0,
      maxTxnOps: 128,
      maxRequestBytes: 1_572_864,
      snapshotCount: 100_000,
      cors: ["*"],
      hostWhitelist: ["*"],
      metrics: "basic",
      enableGrpcGateway: true,
      watchProgressIntervalMs: 600_000,
      keepalive: { minTimeMs: 5000, intervalMs: 7_200_000, timeoutMs: 20_000 },
    });
    expect(config.listenClientUrls.map(({ text }) => text)).toEqual(["http://localhost:2379"]);
    expect(config.advertiseClientUrls.map(({ text }) => text)).toEqual(["http://localhost:2379"]);
    expect(minLeaseTtl(config)).toBe(2);
    expect(minLeaseTtl({ ...config, electionMs: 5000, heartbeatMs: 500 })).toBe(8);
  });

  test("the name makes the data dir and the cluster", async () => {
    const config = await configured([
      "--name=n1",
      "--initial-advertise-peer-urls=http://10.0.0.1:2380",
    ]);
    expect(config.dataDir).toBe("n1.etcd");
    expect(config.initialCluster).toBe("n1=http://10.0.0.1:2380");
  });

  test("URLs are sorted, each once; unix sockets are paths", async () => {
    const urls = "http://127.0.0.1:2, http://127.0.0.1:1,http://127.0.0.1:2,unix:///run/x.sock";
    const { listenClientUrls } = await configured([
      `--listen-client-urls=${urls}`,
      "--advertise-client-urls=http://h:1",
    ]);
    expect(listenClientUrls.map(({ text }) => text)).toEqual([
      "http://127.0.0.1:1",
      "http://127.0.0.1:2",
      "unix:///run/x.sock",
    ]);
    expect(listenClientUrls.at(-1)?.address).toBe("/run/x.sock");
  });

  test("an old name counts as the present one, and is told", async () => {
    const invocation = await readInvocation(
      ["--experimental-watch-progress-notify-interval=1s", "--watch-progress-notify-interval=5s"],
      {},
    );
    expect(invocation).toMatchObject({ kind: "run", config: { watchProgressIntervalMs: 1000 } });
    expect(messages(invocation)).toEqual([
      "warn --experimental-watch-progress-notify-interval is deprecated and will be decommissioned, use --watch-progress-notify-interval instead",
    ]);
  });

  test("what has no effect here is told in one line", async () => {
    const invocation = await readInvocation(
      ["--pre-vote=false", "--max-learners=3", "-vv", "--proxy=off"],
      {},
    );
    expect(invocation).toMatchObject({
      kind: "run",
      remarks: [{ level: "warn", fields: { flags: ["pre-vote", "max-learners", "vv"] } }],
    });
  });

  test.each([
    [["extra"], "'extra' is not a valid flag"],
    [["--on"], undefined],
    [["--auto-compaction-mode=bogus"], 'unknown auto-compaction-mode "bogus"'],
    [["--auto-compaction-mode="], "undefined auto-compaction-mode"],
    [
      ["--auto-defrag=dbSizeFree > 200Mib"],
      '--auto-defrag: column 17: there is no unit "Mib"; there are B, KB, MB, GB, KiB, MiB, GiB',
    ],
    [
      ["--self-maintain", "--auto-defrag-quiet-hours=8-18"],
      '--auto-defrag-quiet-hours: "8-18" is no span such as 08:00-18:30',
    ],
    [["--auto-defrag-min-interval=-1s"], "--auto-defrag-min-interval must be >=0"],
    [
      ["--listen-client-urls=http://127.0.0.1:1"],
      "--advertise-client-urls is required when --listen-client-urls is set explicitly",
    ],
    [["--heartbeat-interval=0"], "--heartbeat-interval must be >0 (set to 0ms)"],
    [
      ["--heartbeat-interval=300"],
      "--election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[300ms]",
    ],
    [
      ["--election-timeout=60000"],
      "--election-timeout[60000ms] is too long, and should be set less than 50000ms",
    ],
    [
      ["--listen-metrics-urls=http://example.com:1"],
      "expected IP in URL for binding (http://example.com:1)",
    ],
    [
      ["--advertise-client-urls=http://:1"],
      '--advertise-client-urls "http://:1" must be "host:port" (unexpected empty host (http://:1))',
    ],
    [
      ["--tls-min-version=TLS1.1"],
      'unexpected TLS version "TLS1.1" (must be one of: TLS1.2, TLS1.3)',
    ],
    [
      ["--tls-min-version=TLS1.3", "--tls-max-version=TLS1.2"],
      "min version (TLS1.3) is greater than max version (TLS1.2)",
    ],
    [["--log-level=loud"], 'unrecognized level: "loud"'],
    [["--log-outputs=default,stdout"], 'multi logoutput for "default" is not supported yet'],
    [
      ["--discovery=http://x"],
      "--discovery is not supported: a strata is one member, alone in its cluster, that speaks v3",
    ],
    [
      ["--enable-v2"],
      "--enable-v2 is not supported: a strata is one member, alone in its cluster, that speaks v3",
    ],
  ])("%s", async (args, message) => {
    if (message === undefined)
      await expect(readInvocation(args, {})).rejects.toThrow("not defined: -on");
    else expect(await refusal(args)).toBe(message);
  });

  test.each([
    ["localhost:1", "URL scheme must be http, https, unix, or unixs: localhost:1"],
    ["127.0.0.1:1", 'parse "127.0.0.1:1": first path segment in URL cannot contain colon'],
    ["http://localhost", 'URL address does not have the form "host:port": http://localhost'],
    ["http://localhost:1/", "URL must not contain a path: http://localhost:1/"],
    ["http://localhost:x", 'parse "http://localhost:x": invalid port ":x" after host'],
    ["ftp://localhost:1", "URL scheme must be http, https, unix, or unixs: ftp://localhost:1"],
  ])("the URL %s", async (url, why) => {
    await expect(readInvocation([`--listen-client-urls=${url}`], {})).rejects.toThrow(
      `invalid value ${JSON.stringify(url)} for flag -listen-client-urls: ${why}`,
    );
  });
});

describe("the environment", () => {
  test("stands for flags, and is told", async () => {
    const env = { ETCD_NAME: "n2", ETCD_QUOTA_BACKEND_BYTES: "1000", ETCD_ENABLE_PPROF: "" };
    const invocation = await readInvocation(["--max-txn-ops=5"], {
      ...env,
      ETCD_NOSUCH: "1",
      PATH: "/",
    });
    expect(invocation).toMatchObject({
      kind: "run",
      config: { name: "n2", quotaBytes: 1000, maxTxnOps: 5, dataDir: "n2.etcd" },
    });
    expect(messages(invocation)).toEqual([
      "info recognized and used environment variable",
      "info recognized and used environment variable",
      "warn unrecognized environment variable",
    ]);
  });

  test("a flag and its variable together are refused", async () => {
    expect(await refusal(["--name=a"], { ETCD_NAME: "b" })).toBe(
      'conflicting environment variable "ETCD_NAME" is shadowed by corresponding command-line flag (either unset environment variable or disable flag)',
    );
  });

  test("a bad value names the variable", async () => {
    expect(await refusal([], { ETCD_QUOTA_BACKEND_BYTES: "abc" })).toBe(
      'invalid value "abc" for ETCD_QUOTA_BACKEND_BYTES: parse error',
    );
  });
});

describe("the configuration file", () => {
  const file = (text: string): string => {
    const path = join(scratchFolder("config"), "etcd.yml");
    writeFileSync(path, text);
    return path;
  };

  test("takes the place of flags and variables", async () => {
    const path = file(
      [
        "name: n3",
        "data-dir: /var/x",
        "listen-client-urls: http://127.0.0.1:5,http://127.0.0.1:4",
        "quota-backend-bytes: 8589934592",
        "backend-batch-interval: 50000000",
        "grpc-keepalive-interval: 10s",
        "auto-compaction-retention: 1",
        "log-outputs: [stdout]",
        "cipher-suites: [TLS_AES_128_GCM_SHA256]",
        "unknown-key: 1",
        "unsafe-no-fsync: true",
        "client-transport-security:",
        "  cert-file: c",
        "  key-file: k",
        "  client-cert-auth: true",
        "  allowed-hostname: [a, b]",
        "peer-transport-security:",
        "  auto-tls: false",
      ].join("\n"),
    );
    for (const [args, env] of [
      [["--config-file", path, "--name=other"], { ETCD_NAME: "third" }],
      [[], { ETCD_CONFIG_FILE: path }],
    ] as const) {
      const invocation = await readInvocation(args, env);
      expect(invocation).toMatchObject({
        kind: "run",
        config: {
          name: "n3",
          dataDir: "/var/x",
          quotaBytes: 8_589_934_592,
          batchIntervalMs: 50,
          keepalive: { intervalMs: 10_000 },
          autoCompactionRetention: "1",
          unsafeNoFsync: true,
          tls: { certFile: "c", keyFile: "k", clientCertAuth: true, allowedHostnames: ["a", "b"] },
        },
        log: { outputs: ["stdout"] },
      });
      expect(messages(invocation)[0]).toMatch(/^info loaded server configuration, /);
    }
  });

  test.each([
    ["- a", "the configuration file is no map of flags"],
    ["name: [", /^error converting YAML to JSON: yaml: line 1: /],
    ["quota-backend-bytes: lots", 'invalid value "lots" for quota-backend-bytes: cannot be a int'],
    [
      "listen-client-urls: nonsense",
      "unexpected error setting up listen-client-urls: URL scheme must be http, https, unix, or unixs: nonsense",
    ],
    ["client-transport-security: 1", "invalid client-transport-security"],
    ["heartbeat-interval: 0", "--heartbeat-interval must be >0 (set to 0ms)"],
  ])("%s", async (text, message) => {
    expect(await refusal(["--config-file", file(text)])).toMatch(
      typeof message === "string"
        ? new RegExp(`^${message.replace(/[()[\]]/g, "\\$&")}$`)
        : message,
    );
  });

  test("that is not there", async () => {
    expect(await refusal(["--config-file=/nonexistent/x.yml"])).toBe(
      "open /nonexistent/x.yml: no such file or directory",
    );
  });
});

describe("the first cluster", () => {
  test("must hold this member, and it alone", async () => {
    const members = async (flag: string) => initialMembers(await configured([flag]));
    await expect(members("--initial-cluster=other=http://localhost:2380")).rejects.toThrow(
      'couldn\'t find local name "default" in the initial cluster configuration',
    );
    await expect(members("--initial-cluster=default=http://a:1,b=http://b:1")).rejects.toThrow(
      "--initial-cluster names 2 members: a strata is one member, alone in its cluster",
    );
    expect([...initialMembers(await configured([])).keys()]).toEqual(["default"]);
  });

  test("with the URLs that are advertised", async () => {
    const check = async (...args: string[]): Promise<void> => {
      const config = await configured(args);
      return assertAdvertised(config.name, config.advertisePeerUrls, initialMembers(config));
    };
    await check();
    await check("--initial-cluster=default=http://127.0.0.1:2380");
    await expect(check("--initial-advertise-peer-urls=http://10.0.0.1:1")).rejects.toThrow(
      "--initial-cluster has default=http://localhost:2380 but missing from --initial-advertise-peer-urls=http://10.0.0.1:1",
    );
    await expect(
      check(
        "--initial-cluster=default=http://10.0.0.1:1",
        "--initial-advertise-peer-urls=http://10.0.0.1:1,http://10.0.0.1:2",
      ),
    ).rejects.toThrow(
      "--initial-advertise-peer-urls has http://10.0.0.1:2 but missing from --initial-cluster=default=http://10.0.0.1:1,default=http://10.0.0.1:2",
    );
  });
});

describe("--self-maintain", () => {
  const implied = (config: ServerConfig) => ({
    retention: config.autoCompactionRetention,
    rule: config.autoDefrag?.rule.text,
  });

  test("implies what is not said, and nothing without it", async () => {
    expect(implied(await configured([]))).toEqual({ retention: "0", rule: undefined });
    const config = await configured(["--self-maintain"]);
    expect(implied(config)).toEqual({ retention: "1h", rule: SELF_MAINTAIN_DEFRAG_RULE });
    expect(config.autoDefrag).toMatchObject({
      minIntervalMs: 3_600_000,
      rateBytesPerSecond: 32 * 1024 * 1024,
      quietHours: undefined,
    });
  });

  test("the quota heals itself, as far as nothing else is said", async () => {
    const quota = ({ quotaMode, quotaSoftLimit, autoDisarm }: ServerConfig) => [
      quotaMode,
      quotaSoftLimit,
      autoDisarm,
    ];
    expect(quota(await configured([]))).toEqual(["size", 0, false]);
    expect(quota(await configured(["--self-maintain"]))).toEqual(["allocatable", 0.8, true]);
    const said = ["--quota-mode=size", "--quota-soft-limit=0", "--auto-disarm=false"];
    expect(quota(await configured(["--self-maintain", ...said]))).toEqual(["size", 0, false]);
    const some = await configured(["--self-maintain", "--quota-soft-limit=0.5"]);
    expect(quota(some)).toEqual(["allocatable", 0.5, true]);
  });

  test.each<[string[], string, string | undefined]>([
    [["--auto-compaction-retention=5m"], "5m", SELF_MAINTAIN_DEFRAG_RULE],
    [["--auto-compaction-retention=0"], "0", SELF_MAINTAIN_DEFRAG_RULE],
    [["--auto-compaction-mode=periodic"], "1h", SELF_MAINTAIN_DEFRAG_RULE],
    [["--auto-compaction-mode=revision"], "0", SELF_MAINTAIN_DEFRAG_RULE],
    [["--auto-defrag="], "1h", undefined],
    [["--auto-defrag", "off"], "1h", undefined],
    [["--auto-defrag", "dbSize > 1GiB"], "1h", "dbSize > 1GiB"],
  ])("what is said goes before it: %j", async (args, retention, rule) => {
    expect(implied(await configured(["--self-maintain", ...args]))).toEqual({ retention, rule });
    const [flag = "", ...rest] = args;
    expect(implied(await configured([flag, ...rest], { ETCD_SELF_MAINTAIN: "true" }))).toEqual({
      retention,
      rule,
    });
  });
});
