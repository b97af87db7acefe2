import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { etcdctl, FakeTransport, type Ran } from "../../test/support/fake-transport.ts";
import { EtcdError } from "../base/errors.ts";
import { deadlineExceeded, RpcError } from "../client/status.ts";
import { KV_METHODS, PUT_REQUEST } from "../proto/tables/kv.ts";
import { method } from "../proto/tables/message-table.ts";

const TLS = join(import.meta.dirname, "../../test/golden/fixtures/tls");
const folder = mkdtempSync(join(tmpdir(), "strata-session-"));
afterAll(() => rmSync(folder, { recursive: true }));

function aFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Tried extends Ran {
  readonly server: FakeTransport;
}

async function tried(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stdin: string | AsyncIterable<string> = "",
  refusal?: Error,
): Promise<Tried> {
  const server = new FakeTransport().on(KV_METHODS.range, {}).on(KV_METHODS.put, {});
  server.refusal = refusal;
  const ran = await etcdctl(server, args, { env, stdin });
  return { ...ran, server };
}

const AT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} /gm;

describe("variables", () => {
  test("stand for the global flags", async () => {
    const { code, out, err, server } = await tried(["get", "k"], {
      ETCDCTL_ENDPOINTS: "a:1, b:2",
      ETCDCTL_WRITE_OUT: "json",
      ETCDCTL_COMMAND_TIMEOUT: "7s",
      ETCDCTL_KEEPALIVE_TIME: "1m",
      ETCDCTL_KEEPALIVE_TIMEOUT: "3s",
      ETCDCTL_INSECURE_TRANSPORT: "false",
      ETCDCTL_INSECURE_SKIP_TLS_VERIFY: "1",
      ETCDCTL_MAX_REQUEST_BYTES: "100",
      ETCDCTL_API: "3",
      PATH: "/bin",
    });
    expect([code, out, err]).toEqual([0, "{}\n", ""]);
    expect(server.options).toEqual({
      endpoints: ["a:1", "b:2"],
      tls: { insecureSkipVerify: true },
      credentials: undefined,
      keepAliveTimeMs: 60_000,
      keepAliveTimeoutMs: 3000,
      maxSendBytes: 100,
      maxReceiveBytes: undefined,
    });
    expect(server.calls.map(({ settings }) => settings.timeoutMs)).toEqual([7000]);
    expect(server.closed).toBe(true);
  });

  test("what cannot be read counts as nothing, without a word", async () => {
    const { code, err, server } = await tried(["get", "k"], { ETCDCTL_COMMAND_TIMEOUT: "bogus" });
    expect([code, err]).toEqual([0, ""]);
    expect(server.calls[0]?.settings.timeoutMs).toBe(5000);
  });

  test("one that nothing asks for is warned of", async () => {
    const { code, err } = await tried(["get", "k"], {
      ETCDCTL_BOGUS: "1",
      ETCDCTL_PREFIX: "true",
      ETCDCTL_HEX: "",
    });
    expect(code).toBe(0);
    expect(err.replace(AT, "")).toBe(
      "W | pkg/flags: unrecognized environment variable ETCDCTL_BOGUS=1\n" +
        "W | pkg/flags: unrecognized environment variable ETCDCTL_PREFIX=true\n" +
        "W | pkg/flags: unrecognized environment variable ETCDCTL_HEX=\n",
    );
    expect(err).toMatch(AT);
  });

  test.each<[string[], Record<string, string>]>([
    [["--endpoints=a:1", "get", "k"], { ETCDCTL_ENDPOINTS: "a:1" }],
    [["--endpoints=a:1", "get", "k"], { ETCDCTL_ENDPOINTS: "" }],
    [["get", "k", "-w", "json"], { ETCDCTL_WRITE_OUT: "simple" }],
    [["get", "k", "--hex"], { ETCDCTL_HEX: "true" }],
  ])("%j and %j do not go together", async (args, env) => {
    const { code, out, err, server } = await tried(args, env);
    expect([code, out]).toEqual([1, ""]);
    expect(err.replace(AT, "")).toBe(
      `C | pkg/flags: conflicting environment variable "${Object.keys(env)[0]}" is shadowed by ` +
        "corresponding command-line flag (either unset environment variable or disable flag)\n",
    );
    expect(server.calls).toEqual([]);
  });

  test("are not looked at by commands without a client, nor before the arguments are", async () => {
    const env = { ETCDCTL_BOGUS: "1", ETCDCTL_HEX: "1" };
    expect(await tried(["version", "--hex"], env)).toMatchObject({ code: 0, err: "" });
    expect(await tried(["get", "--hex"], env)).toMatchObject({
      code: 128,
      err: expect.stringMatching(/^Error: get command needs one argument/),
    });
  });
});

describe("endpoints", () => {
  test.each<[string[], string[]]>([
    [[], ["127.0.0.1:2379"]],
    [
      ["--endpoints=a,b", "--endpoints", "c"],
      ["a", "b", "c"],
    ],
    [["--endpoints= a ,https://b:1"], ["a", "https://b:1"]],
    [['--endpoints="a","b,c"'], ["a", "b,c"]],
  ])("%j", async (flags, endpoints) => {
    expect((await tried(["get", "k", ...flags])).server.options?.endpoints).toEqual(endpoints);
  });

  test("there must be one", async () => {
    const { code, err, server } = await tried(["--endpoints=", "get", "k"]);
    expect([code, err]).toEqual([2, "Error: etcdclient: no available endpoints\n"]);
    expect(server.options).toBeUndefined();
  });

  test("are not looked up", async () => {
    const { code, err } = await tried(["-d", "example.com", "get", "k"]);
    expect([code, err]).toEqual([
      1,
      "Error: --discovery-srv is not supported: name the endpoints with --endpoints\n",
    ]);
  });

  test.each([
    ['a"b', 'parse error on line 1, column 2: bare " in non-quoted-field'],
    ['"a', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
    ['x,"a""b"c', 'parse error on line 1, column 8: extraneous or missing " in quoted-field'],
  ])("--endpoints=%s is no list", async (text, why) => {
    const { code, err } = await tried([`--endpoints=${text}`, "get", "k"]);
    expect(code).toBe(1);
    expect(err).toBe(
      `Error: invalid argument ${JSON.stringify(text)} for "--endpoints" flag: ${why}\n`,
    );
  });
});

describe("TLS", () => {
  const pem = (name: string): string => join(TLS, name);

  test("files are read", async () => {
    const { code, server } = await tried([
      "get",
      "k",
      `--cacert=${pem("ca.pem")}`,
      `--cert=${pem("client.pem")}`,
      `--key=${pem("client-key.pem")}`,
    ]);
    expect(code).toBe(0);
    const { ca, cert, key, insecureSkipVerify } = server.options?.tls ?? {};
    expect(insecureSkipVerify).toBe(false);
    for (const file of [ca, cert, key]) expect(String(file)).toContain("-----BEGIN");
  });

  test.each<[string[], object | undefined]>([
    [[], undefined],
    // etcdctl 3.4's way: not without a further flag.
    [["--insecure-skip-tls-verify"], undefined],
    [["--insecure-transport=false"], { insecureSkipVerify: false }],
    [["--insecure-transport=false", "--insecure-skip-tls-verify"], { insecureSkipVerify: true }],
  ])("%j alone", async (flags, tls) => {
    expect((await tried(["get", "k", ...flags])).server.options?.tls).toEqual(tls);
  });

  const NO_FILE = join(folder, "nofile.pem");
  const garbage = aFile("garbage.pem", "garbage");
  const torn = aFile("torn.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  test.each<[string[], string | RegExp]>([
    [[`--cacert=${NO_FILE}`], `open ${NO_FILE}: no such file or directory`],
    [[`--cert=${NO_FILE}`, `--key=${NO_FILE}`], `open ${NO_FILE}: no such file or directory`],
    [[`--cacert=${folder}`], `read ${folder}: is a directory`],
    [["--cert=c.pem"], "KeyFile and CertFile must both be present[key: , cert: c.pem]"],
    [["--key=k.pem"], "KeyFile and CertFile must both be present[key: k.pem, cert: ]"],
    [["--cacert="], "empty string is passed to --cacert option"],
    [["--cert="], "empty string is passed to --cert option"],
    [["--key="], "empty string is passed to --key option"],
    [[`--cacert=${garbage}`], `${garbage}: no certificate in it`],
    [[`--cacert=${torn}`], /^tls: ./],
    [
      [`--cert=${garbage}`, `--key=${pem("client-key.pem")}`],
      "tls: failed to find any PEM data in certificate input",
    ],
    [
      [`--cert=${pem("client.pem")}`, `--key=${garbage}`],
      "tls: failed to find any PEM data in key input",
    ],
    [
      [`--cert=${pem("client.pem")}`, `--key=${pem("server-key.pem")}`],
      "tls: private key does not match public key",
    ],
  ])("%j is refused before any call", async (flags, message) => {
    const { code, out, err, server } = await tried(["get", "k", ...flags]);
    expect([code, out]).toEqual([128, ""]);
    if (typeof message === "string") expect(err).toBe(`Error: ${message}\n`);
    else expect(err.slice("Error: ".length)).toMatch(message);
    expect(err.split("\n")).toHaveLength(2);
    expect(server.options).toBeUndefined();
  });
});

describe("credentials", () => {
  test.each<[string[], string, object | undefined, string]>([
    [["--user=u:p"], "", { user: "u", password: "p" }, ""],
    [["--user=u:p:q"], "", { user: "u", password: "p:q" }, ""],
    [["--user=u:x", "--password=p"], "", { user: "u:x", password: "p" }, ""],
    [["--user=u"], "p\nrest", { user: "u", password: "p" }, "Password: \n"],
    [["--user=u"], "", undefined, "Password: \n"],
    [["--user=u:"], "", undefined, ""],
    [["--user=:p"], "", undefined, ""],
    [["--password=p"], "", undefined, ""],
  ])("%j with %j on stdin", async (flags, stdin, credentials, out) => {
    const ran = await tried(["get", "k", ...flags], {}, stdin);
    expect([ran.code, ran.out, ran.err]).toEqual([0, out, ""]);
    expect(ran.server.options?.credentials).toEqual(credentials);
    expect(ran.server.authenticated).toEqual(credentials === undefined ? [] : [2000]);
  });

  test("the line of the password is not the value's", async () => {
    const { code, server } = await tried(["txn", "--user=u"], {}, "p\n\nget k\n\n\n");
    expect(code).toBe(1); // Nobody answers it here.
    expect(server.options?.credentials).toEqual({ user: "u", password: "p" });
    expect(server.calls.map(({ path }) => path)).toEqual([KV_METHODS.txn.path]);
  });

  test.each<[Error, string]>([
    [
      new EtcdError("AUTH_FAILED"),
      "etcdserver: authentication failed, invalid user ID or password",
    ],
    [deadlineExceeded(), "context deadline exceeded"],
    [new RpcError(2, "what"), "rpc error: code = Unknown desc = what"],
  ])("that are not taken: %s", async (refusal, message) => {
    const flags = ["--user=u:p", "--dial-timeout=3s"];
    const { code, err, server } = await tried(["get", "k", ...flags], {}, "", refusal);
    expect([code, err]).toEqual([2, `Error: ${message}\n`]);
    expect([server.authenticated, server.calls, server.closed]).toEqual([[3000], [], true]);
  });
});

describe("limits", () => {
  test("of bytes", async () => {
    const { server } = await tried(["get", "k", "--max-request-bytes=5", "--max-recv-bytes=6"]);
    expect(server.options).toMatchObject({ maxSendBytes: 5, maxReceiveBytes: 6 });
    const { code, err } = await tried(["get", "k", "--max-request-bytes=7", "--max-recv-bytes=6"]);
    expect([code, err]).toEqual([
      2,
      "Error: gRPC message recv limit (6 bytes) must be greater than send limit (7 bytes)\n",
    ]);
  });

  test("a call that is not in time, or has no text of etcd's", async () => {
    for (const [error, message] of [
      [deadlineExceeded(), "context deadline exceeded"],
      [new RpcError(14, "no"), "rpc error: code = Unavailable desc = no"],
      [new EtcdError("USER_EMPTY"), "etcdserver: user name is empty"],
    ] as const) {
      const server = new FakeTransport().on(KV_METHODS.range, error);
      expect(await etcdctl(server, ["get", "k"])).toMatchObject({
        code: 1,
        out: "",
        err: `Error: ${message}\n`,
      });
      expect(server.closed).toBe(true);
    }
  });
});

test("an answer that is no such message is the server's fault", async () => {
  const { path, input } = KV_METHODS.range;
  const strange = method(path, input, PUT_REQUEST);
  const server = new FakeTransport().on(strange, { key: Buffer.of(0xff, 0xff) });
  const { code, out, err } = await etcdctl(server, ["get", "k"]);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(
    /^Error: rpc error: code = Internal desc = grpc: failed to unmarshal the received message: [^\n]+\n$/,
  );
});

test("what is wrong is said in etcdctl's order", async () => {
  const steps: [string, RegExp][] = [
    ["get", /get command needs one argument/],
    ["k", /conflicting/],
    ["ETCDCTL_HEX", /empty string is passed to --cacert/],
    ["--cacert=", /unsupported output format/],
    ["-wxml", /KeyFile and CertFile/],
    ["--cert=x", /no available endpoints/],
  ];
  let args = ["get", "--hex", "--cacert=", "-wxml", "--cert=x", "--endpoints="];
  let env: Record<string, string> = { ETCDCTL_HEX: "1" };
  for (const [mended, message] of steps) {
    if (mended === "k") args = ["get", "k", ...args.slice(1)];
    else if (mended === "ETCDCTL_HEX") env = {};
    else if (mended !== "get") args = args.filter((arg) => arg !== mended);
    expect((await tried(args, env)).err).toMatch(message);
  }
});

test("--debug tells the flags, the calls, and nobody's password", async () => {
  const { code, out, err } = await tried(
    ["get", "k", "--debug", "--user=me:secret", "--endpoints=a,b", "--dial-timeout=90s"],
    { ETCDCTL_HEX: "true" },
  );
  expect([code, out]).toEqual([0, ""]);
  const lines = err.trimEnd().split("\n");
  expect(lines.slice(0, 20)).toEqual([...lines.slice(0, 20)].sort());
  for (const line of [
    "ETCDCTL_ENDPOINTS=[a,b]",
    "ETCDCTL_DIAL_TIMEOUT=1m30s",
    "ETCDCTL_HEX=true",
    "ETCDCTL_USER=me:***",
    "ETCDCTL_PASSWORD=",
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.slice(20).map((line) => line.replace(/ \d{4}\S+ \S+/, ""))).toEqual([
    "INFO: [client] authenticate: asked of a,b",
    "INFO: [client] authenticate: done after 0 ms",
    "INFO: [client] /etcdserverpb.KV/Range: asked of a,b",
    "INFO: [client] /etcdserverpb.KV/Range: done after 0 ms",
    "INFO: [client] closed",
  ]);
  const failed = await tried(
    ["get", "k", "--debug", "--user=me", "--password=secret"],
    {},
    "",
    deadlineExceeded({ cause: new Error("connection refused") }),
  );
  expect(failed.err).toContain(
    "failed after 0 ms: context deadline exceeded: connection refused\n",
  );
  expect(failed.err).toContain("ETCDCTL_PASSWORD=***\n");
  expect(failed.err).not.toContain("secret");
});
