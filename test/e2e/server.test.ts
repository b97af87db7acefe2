/** The life of the built `strata`: how it starts, what it says, how it stops, and what it does not start with. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { request as httpsRequest } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Etcd3 } from "etcd3";
import { describe, expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../src/server/tls/certificate.ts";
import { builtFile, run } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { loopbackPorts } from "../support/loopback-ports.ts";
import { dataDirOf, type ServerOptions, ServerProcess } from "../support/server-process.ts";

async function started(options: ServerOptions = {}): Promise<ServerProcess> {
  const server = await ServerProcess.start({ ...options, kind: "strata" });
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
  });
  return server;
}

function client(url: string, credentials?: { rootCertificate: Buffer }): Etcd3 {
  const found = new Etcd3({ hosts: url, ...(credentials && { credentials }) });
  onTestFinished(() => {
    found.close();
  });
  return found;
}

interface Line {
  readonly level: string;
  readonly ts: string;
  readonly caller: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

function lines(log: string): Line[] {
  return log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
}

const messages = (log: string): string[] => lines(log).map(({ msg }) => msg);

async function get(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

describe("a server", () => {
  test("starts, serves, stops by the signal it was sent, and has everything when it starts again", async () => {
    const server = await started();
    const etcd = client(server.clientUrl);
    await etcd.put("greeting").value("hello");
    expect(await etcd.get("greeting").string()).toBe("hello");
    expect(JSON.parse(await get(`${server.clientUrl}/version`))).toMatchObject({
      etcdserver: expect.stringMatching(/^3\.5\./),
    });
    expect(await server.stop("SIGTERM")).toBe("SIGTERM");
    await server.start();
    expect(await client(server.clientUrl).get("greeting").string()).toBe("hello");
    expect(await server.stop("SIGINT")).toBe("SIGINT");
    await server.start();
    await client(server.clientUrl).put("greeting").value("again");
    expect(await server.stop("SIGKILL")).toBe("SIGKILL");
    await server.start();
    expect(await client(server.clientUrl).get("greeting").string()).toBe("again");
  });

  test("says what tools wait for, in zap's form and this order", async () => {
    const server = await started();
    await server.stop("SIGTERM");
    const said = messages(server.log);
    const awaited = [
      "starting an etcd server",
      "setting up initial cluster version",
      "published local member to cluster through raft",
      "ready to serve client requests",
      "serving client traffic insecurely; this is strongly discouraged!",
      "received signal; shutting down",
      "closing etcd server",
      "closed etcd server",
    ];
    expect(said.filter((message) => awaited.includes(message))).toEqual(awaited);
    for (const { level, ts, caller } of lines(server.log)) {
      expect(level).toMatch(/^(info|warn)$/);
      expect(ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(caller).toMatch(/^[a-z/-]+$/);
    }
    const serving = lines(server.log).find(({ msg }) => msg.startsWith("serving client traffic"));
    expect(serving?.address).toBe(server.endpoint);
  });

  test("ends a watch with the text that clients know, and does not wait for it", async () => {
    const server = await started();
    const watcher = await client(server.clientUrl).watch().key("k").create();
    const ended = once(watcher, "disconnected");
    const beganMs = Date.now();
    expect(await server.stop("SIGTERM")).toBe("SIGTERM");
    expect(Date.now() - beganMs).toBeLessThan(15_000);
    const [error] = (await ended) as [Error];
    expect(error.message).toMatch(/server stopped|closed|UNAVAILABLE|reset/i);
    await watcher.cancel().catch(() => undefined);
  });

  test("on a data dir that another one has waits for it, and says so", async () => {
    const first = await started();
    const [port = 0] = await loopbackPorts(1);
    const url = `http://127.0.0.1:${port}`;
    const second = spawn(
      process.execPath,
      [
        builtFile("strata"),
        ...["--data-dir", dataDirOf(first), "--listen-client-urls", url],
        ...["--advertise-client-urls", url],
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    onTestFinished(() => {
      second.kill("SIGKILL");
    });
    let log = "";
    second.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    const says = async (message: string): Promise<void> => {
      for (let i = 0; i < 1000 && !messages(log).includes(message); i++) await sleep(20);
      expect(messages(log)).toContain(message);
    };
    await says("waiting for another process to release the data directory");
    expect(messages(log)).not.toContain("ready to serve client requests");
    await first.stop("SIGTERM");
    await says("ready to serve client requests");
    second.kill("SIGTERM");
    expect(await once(second, "exit")).toEqual([null, "SIGTERM"]);
  });

  test("a signal ends it while it waits, too", async () => {
    const first = await started();
    const second = spawn(
      process.execPath,
      [
        builtFile("strata"),
        ...["--data-dir", dataDirOf(first), "--listen-client-urls", "http://127.0.0.1:0"],
        ...["--advertise-client-urls", "http://127.0.0.1:1"],
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    second.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("waiting for another process")) second.kill("SIGINT");
    });
    expect(await once(second, "exit")).toEqual([null, "SIGINT"]);
  });

  test("has a log, metrics, HTTP/1.1 and its write-ahead log where the flags say", async () => {
    const folder = scratchFolder("server-places");
    const [http = 0, metrics = 0] = await loopbackPorts(2);
    const server = await started({
      cwd: folder,
      flags: [
        `--wal-dir=${join(folder, "wal")}`,
        `--log-outputs=${join(folder, "log")},stderr`,
        "--log-format=console",
        `--listen-client-http-urls=http://127.0.0.1:${http}`,
        `--listen-metrics-urls=http://127.0.0.1:${metrics}`,
        "--quota-backend-bytes=10000000000",
        "--unsafe-no-fsync",
        "--pre-vote=false",
      ],
    });
    await client(server.clientUrl).put("k").value("v");
    expect(await get(`http://127.0.0.1:${http}/health`)).toContain('"true"');
    expect(await get(`http://127.0.0.1:${metrics}/metrics`)).toContain("etcd_server_has_leader 1");
    await expect(get(`${server.clientUrl}/health`)).rejects.toThrow();
    await server.stop("SIGTERM");
    const log = readFileSync(join(folder, "log"), "utf8");
    expect(server.log).toBe(log);
    for (const part of [
      /\twarn\tserver\/server\t--unsafe-no-fsync is set: /,
      /\twarn\tserver\/server\tquota exceeds the maximum value\t\{"quota-name":/,
      /\twarn\tcli\/strata\tflags without effect on a member that is alone are ignored\t\{"flags":\["pre-vote"\]\}\n/,
    ]) {
      expect(log).toMatch(part);
    }
    expect(execFileSync("ls", [join(folder, "wal")], { encoding: "utf8" })).toMatch(
      /^0{16}-0{16}\.wal$/m,
    );
    await server.start();
    expect(await client(server.clientUrl).get("k").string()).toBe("v");
  });

  test("a unix socket, and the peer URL's version and members", async () => {
    const folder = scratchFolder("server-socket");
    const socket = join(folder, "s");
    const [peer = 0, clientPort = 0] = await loopbackPorts(2);
    await started({
      cwd: folder,
      ports: { client: clientPort, peer },
      flags: [`--listen-client-urls=http://127.0.0.1:${clientPort},unix://${socket}`],
    });
    const body = await new Promise<string>((resolve, reject) => {
      const asked = request({ socketPath: socket, path: "/health" }, (response) => {
        response.setEncoding("utf8").once("data", resolve);
      });
      asked.once("error", reject);
      asked.end();
    });
    expect(body).toContain('"true"');
    expect(await get(`http://127.0.0.1:${peer}/version`)).toContain("etcdserver");
    expect(JSON.parse(await get(`http://127.0.0.1:${peer}/members`))).toMatchObject([
      { name: "default", peerURLs: [`http://127.0.0.1:${peer}`] },
    ]);
  });
});

describe("TLS", () => {
  test("for gRPC and HTTP/1.1, with a certificate of somebody's", async () => {
    const folder = scratchFolder("server-tls");
    const made = makeCertificate({
      commonName: "strata",
      hosts: ["127.0.0.1"],
      from: new Date(Date.now() - 60_000),
      until: new Date(Date.now() + 3_600_000),
      isCa: true,
      usages: ["server"],
    });
    writeFileSync(join(folder, "cert.pem"), made.certificate);
    writeFileSync(join(folder, "key.pem"), made.key);
    const server = await started({
      cwd: folder,
      tls: true,
      flags: ["--cert-file=cert.pem", "--key-file=key.pem"],
    });
    expect(messages(server.log)).toContain("serving client traffic securely");
    const etcd = client(server.clientUrl, { rootCertificate: Buffer.from(made.certificate) });
    await etcd.put("k").value("v");
    expect(await etcd.get("k").string()).toBe("v");
    const status = await new Promise((resolve, reject) => {
      const asked = httpsRequest(
        `${server.clientUrl}/health`,
        { ca: made.certificate },
        ({ statusCode }) => resolve(statusCode),
      );
      asked.once("error", reject);
      asked.end();
    });
    expect(status).toBe(200);
  });

  test("with one of its own", async () => {
    const server = await started({ tls: true, flags: ["--auto-tls"] });
    const cert = readFileSync(join(dataDirOf(server), "fixtures/client/cert.pem"));
    const etcd = client(server.clientUrl, { rootCertificate: cert });
    await etcd.put("k").value("v");
    expect(await etcd.get("k").string()).toBe("v");
  });
});

describe("what it does not start with", () => {
  const cwd = (): string => scratchFolder("refused");
  const refused = async (
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<[number | null, string]> => {
    const { code, stdout, stderr } = await run("strata", args, { cwd: cwd(), env });
    expect(stdout).toBe("");
    return [code, stderr];
  };

  test.each([
    [["--nosuch"], 2, "flag provided but not defined: -nosuch"],
    [
      ["--quota-backend-bytes=abc"],
      2,
      'invalid value "abc" for flag -quota-backend-bytes: parse error',
    ],
    [["extra"], 1, "error verifying flags, 'extra' is not a valid flag. See 'etcd --help'."],
    [
      ["--auto-compaction-mode=bogus"],
      1,
      "error verifying flags, unknown auto-compaction-mode \"bogus\". See 'etcd --help'.",
    ],
    [
      ["--listen-client-urls=http://127.0.0.1:1"],
      1,
      "error verifying flags, --advertise-client-urls is required when --listen-client-urls is set explicitly. See 'etcd --help'.",
    ],
    [
      ["--initial-cluster=other=http://localhost:2380"],
      1,
      'couldn\'t find local name "default" in the initial cluster configuration',
    ],
    [
      ["--auto-compaction-retention=abc"],
      1,
      'error parsing CompactionRetention: time: invalid duration "abc"',
    ],
    [["--auth-token=bogus"], 1, "auth: invalid auth options"],
    [["--log-outputs=/nonexistent/log"], 1, "open /nonexistent/log: no such file or directory"],
    [
      ["--listen-client-urls=https://127.0.0.1:1", "--advertise-client-urls=https://127.0.0.1:1"],
      1,
      "TLS key/cert (--cert-file, --key-file) must be provided for client url https://127.0.0.1:1 with HTTPS scheme",
    ],
    [
      [
        "--listen-client-urls=https://127.0.0.1:1",
        "--advertise-client-urls=https://127.0.0.1:1",
        "--cert-file=c",
        "--key-file=k",
      ],
      1,
      "open c: no such file or directory",
    ],
  ])("%j", async (args, code, line) => {
    const [found, stderr] = await refused(args);
    expect([found, stderr.split("\n")]).toEqual([code, expect.arrayContaining([line])]);
  });

  test("a flag and its variable", async () => {
    const [code, stderr] = await refused(["--name=a"], { ETCD_NAME: "b" });
    expect(code).toBe(1);
    expect(stderr).toContain('conflicting environment variable "ETCD_NAME" is shadowed by');
  });

  test("an address that is taken", async () => {
    const holder = createServer();
    holder.listen(0, "127.0.0.1");
    await once(holder, "listening");
    onTestFinished(() => {
      holder.close();
    });
    const address = holder.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const url = `http://127.0.0.1:${port}`;
    const [code, stderr] = await refused([
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
    ]);
    expect(code).toBe(1);
    expect(stderr.split("\n")).toContain(
      `listen tcp 127.0.0.1:${port}: bind: address already in use`,
    );
    expect(messages(stderr)).toContain("failed to start etcd server");
  });

  test("a data dir that is a file", async () => {
    const folder = cwd();
    mkdirSync(join(folder, "x"));
    writeFileSync(join(folder, "x/file"), "");
    const [code, stderr] = await refused([
      `--data-dir=${join(folder, "x/file")}`,
      "--listen-client-urls=http://127.0.0.1:0",
      "--advertise-client-urls=http://a:1",
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain("not a directory");
  });
});
