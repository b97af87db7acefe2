import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MemoryTree } from "../../../native-free/memory-tree.ts";
import { describeWithPeers } from "../../../test/support/describe-with-peers.ts";
import { ErrorDisk } from "../../../test/support/error-disk.ts";
import { ask, type HttpAnswer, type HttpAsk, HttpRig } from "../../../test/support/http-rig.ts";
import { freePorts, RealEtcd } from "../../../test/support/real-etcd.ts";
import { AlarmAction, AlarmType } from "../../proto/messages.ts";

const PLAIN: Readonly<Record<string, string>> = { "content-type": "text/plain; charset=utf-8" };

test("/version", async () => {
  await using rig = await HttpRig.open();
  const url = await rig.listen("client");
  const { status, body, headers } = await ask(url, "/version");
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({ etcdserver: "3.5.21", etcdcluster: "3.4.0" });
  expect(headers["content-type"]).toBe("application/json");
});

test("/health says which alarm it is, and can be told to pass over it", async () => {
  await using rig = await HttpRig.open();
  const url = await rig.listen("client");
  const { member } = rig;
  expect((await ask(url, "/health")).body).toBe('{"health":"true","reason":""}');
  const { memberId } = member.status();
  await member.alarm(AlarmAction.activate, memberId, AlarmType.noSpace);
  const sick = await ask(url, "/health");
  expect(sick.status).toBe(503);
  expect(sick.body).toBe('{"health":"false","reason":"ALARM NOSPACE"}\n');
  expect((await ask(url, "/health?exclude=NOSPACE")).status).toBe(200);
  await member.alarm(AlarmAction.activate, memberId, AlarmType.corrupt);
  expect((await ask(url, "/health?exclude=NOSPACE")).body).toContain("ALARM CORRUPT");
  expect((await ask(url, "/health?exclude=NOSPACE&exclude=CORRUPT")).status).toBe(200);
  const metrics = (await ask(url, "/metrics")).body;
  expect(metrics).toContain("\netcd_server_health_success 3\n");
  expect(metrics).toContain("\netcd_server_health_failures 2\n");
  expect(metrics).toContain('etcd_debugging_server_alarms{alarm_type="NOSPACE",server_id=');
});

test("a member whose disk has failed is unwell, but can still read", async () => {
  const disk = new ErrorDisk(new MemoryTree());
  await using rig = await HttpRig.open({ member: { disk, wal: {} } });
  const url = await rig.listen("client");
  expect((await ask(url, "/health")).status).toBe(200);
  disk.arm({ operations: "write", code: "EIO", nth: 1, lasts: "from then on" });
  const grant = rig.member.leaseGrant(60, 1n);
  await expect(grant).rejects.toThrow("a write failed");
  const sick = await ask(url, "/health");
  expect(sick.status).toBe(503);
  expect(sick.body).toMatch(/^\{"health":"false","reason":"RANGE ERROR:[^"]*EIO/);
  expect(rig.lines.some(({ message }) => message === "/health error")).toBe(true);
  expect((await ask(url, "/health?serializable=true")).status).toBe(200);
  expect((await ask(url, "/livez")).body).toBe("ok\n");
  const ready = await ask(url, "/readyz");
  expect(ready.status).toBe(503);
  expect(ready.body).toContain("[+]serializable_read ok\n[-]linearizable_read failed: ");
  expect((await ask(url, "/readyz?exclude=linearizable_read")).status).toBe(200);
  await rig.member.abandon();
});

test("a closed member is unwell, and says so", async () => {
  await using rig = await HttpRig.open();
  const url = await rig.listen("client");
  await rig.member.close();
  expect((await ask(url, "/health")).body).toContain("the store is closed");
  expect((await ask(url, "/livez")).status).toBe(503);
});

test("/livez and /readyz, whole and check by check", async () => {
  await using rig = await HttpRig.open();
  const url = await rig.listen("client");
  for (const path of ["/livez", "/readyz", "/readyz/data_corruption", "/livez/serializable_read"]) {
    const { status, body, headers } = await ask(url, path);
    expect([path, status, body]).toEqual([path, 200, "ok\n"]);
    expect(headers).toMatchObject({ ...PLAIN, "x-content-type-options": "nosniff" });
  }
  expect((await ask(url, "/readyz?verbose")).body).toBe(`[+]data_corruption ok
[+]serializable_read ok
[+]linearizable_read ok
[+]non_learner ok
ok
`);
  expect((await ask(url, "/readyz?verbose&exclude=non_learner")).body).not.toContain("non_learner");
  expect((await ask(url, "/livez/nothing")).status).toBe(404);
  expect((await ask(url, "/livez", { method: "POST" })).status).toBe(405);
  const { body } = await ask(url, "/metrics");
  expect(body).toContain('etcd_server_healthcheck{name="non_learner",type="readyz"} 1\n');
  expect(body).toContain(
    'etcd_server_healthchecks_total{name="data_corruption",status="success",type="readyz"} 4\n',
  );
});

test("/metrics as Prometheus asks for them", async () => {
  await using rig = await HttpRig.open();
  const url = await rig.listen("client");
  const { headers, body } = await ask(url, "/metrics");
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(body).toContain("etcd_debugging_mvcc_current_revision 1\n");
  const packed = await ask(url, "/metrics", { headers: { "Accept-Encoding": "br, gzip;q=1" } });
  expect(packed.headers["content-encoding"]).toBe("gzip");
  const unpacked = gunzipSync(Buffer.from(packed.body, "latin1")).toString();
  expect(unpacked).toContain('promhttp_metric_handler_requests_total{code="200"} 1\n');
  expect(unpacked).toContain("promhttp_metric_handler_requests_in_flight 1\n");
});

test("a crowd that asks for metrics shares them, and each sees what was there when it asked", async () => {
  await using rig = await HttpRig.open();
  const url = await rig.listen("client");
  const key = Buffer.from("k");
  const put = { kind: "put", key, value: key, lease: 0n } as const;
  const texts: string[] = [];
  for (let round = 1; round <= 3; round++) {
    await rig.member.put({ ...put, prevKv: false, ignoreValue: false, ignoreLease: false });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url, "/metrics")));
    for (const { body } of answers) expect(body).toContain(`\netcd_mvcc_put_total ${round}\n`);
    texts.push(...new Set(answers.map(({ body }) => body)));
  }
  expect(texts.length).toBeLessThan(30);
});

test("--cors and --host-whitelist", async () => {
  const access = { cors: ["http://a.example:80"], hostWhitelist: ["127.0.0.1", "::1"] };
  await using rig = await HttpRig.open({ access });
  const url = await rig.listen("client");
  const good = await ask(url, "/version", { headers: { Origin: "http://a.example:80" } });
  expect(good.headers["access-control-allow-origin"]).toBe("http://a.example:80");
  const other = await ask(url, "/version", { headers: { Origin: "http://b.example" } });
  expect(other.status).toBe(200);
  expect(other.headers["access-control-allow-origin"]).toBeUndefined();
  const evil = await ask(url, "/version", { headers: { Host: "evil.example:2379" } });
  expect(evil.status).toBe(421);
  expect(evil.body).toContain("etcd received your request, but the Host header was unrecognized.");
  expect(evil.body).toContain('--host-whitelist "evil.example"');
  expect((await ask(url, "/version", { headers: { Host: "[::1]:2379" } })).status).toBe(200);
});

test("--listen-metrics-urls have health and metrics, and nothing else", async () => {
  await using rig = await HttpRig.open();
  const url = await rig.listen("monitoring");
  for (const path of ["/health", "/metrics", "/livez", "/readyz"]) {
    const { status, headers } = await ask(url, path);
    expect([path, status]).toEqual([path, 200]);
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  }
  for (const path of ["/version", "/debug/vars", "/", "/v3/kv/range"]) {
    expect((await ask(url, path)).status, path).toBe(404);
  }
  expect((await ask(url, "/health", { method: "OPTIONS" })).status).toBe(405);
});

test("/debug/vars", async () => {
  await using rig = await HttpRig.open();
  const url = await rig.listen("client");
  const { body, headers } = await ask(url, "/debug/vars");
  expect(headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(JSON.parse(body)).toMatchObject({ "raft.status": { raftState: "StateLeader" } });
});

/** Both servers are asked the same; what differs by nature is made the same. */
function comparable(answer: HttpAnswer): HttpAnswer {
  const { date: _date, connection: _connection, ...headers } = answer.headers;
  const body = answer.body
    .replace(/"etcdserver":"[^"]*"/, '"etcdserver":"3.x"')
    .replace(',"reason":""', "")
    .replace(/,"reason":"ALARM \w+"/, "");
  delete (headers as Record<string, string>)["content-length"];
  return { ...answer, headers, body };
}

const BOTH: readonly (readonly [path: string, ask?: HttpAsk])[] = [
  ["/version"],
  ["/version", { method: "POST" }],
  ["/version", { method: "HEAD" }],
  ["/version/"],
  ["/version?x=1"],
  ["/health"],
  ["/health?serializable=true"],
  ["/health?exclude=NOSPACE"],
  ["/health", { method: "PUT" }],
  ["/"],
  ["/nothing"],
  ["/v2/keys"],
  ["/members"],
  ["/debug/pprof/"],
  ["//version?x=1&y=2"],
  ["/foo/../version"],
  ["/version", { method: "OPTIONS" }],
  ["/nothing", { method: "OPTIONS" }],
  ["/debug/vars", { method: "POST" }],
  ["/version", { headers: { Origin: "http://a.example:80" } }],
  ["/version", { headers: { Origin: "http://b.example:80" } }],
  ["/version", { headers: { Host: "evil.example" } }],
  ["/version", { headers: { Host: "evil.example:1" }, method: "OPTIONS" }],
];

describeWithPeers("beside a real etcd", ["etcd", "etcdctl"], () => {
  let etcd: RealEtcd;
  let etcdMonitoring: string;

  beforeAll(async () => {
    const [port] = await freePorts();
    etcdMonitoring = `http://127.0.0.1:${port}`;
    etcd = await RealEtcd.start({
      flags: [
        ["--cors", "http://a.example:80"],
        ["--host-whitelist", "127.0.0.1"],
        ["--listen-metrics-urls", etcdMonitoring],
      ].flat(),
    });
  });

  afterAll(() => etcd.stop("SIGKILL"));

  const access = { cors: ["http://a.example:80"], hostWhitelist: ["127.0.0.1"] };

  test("status, headers and body are the same", async () => {
    await using rig = await HttpRig.open({ access });
    const url = await rig.listen("client");
    for (const [path, how] of BOTH) {
      const theirs = comparable(await ask(etcd.clientUrl, path, how));
      const ours = comparable(await ask(url, path, how));
      expect({ path, ...how, answer: ours }).toEqual({ path, ...how, answer: theirs });
    }
  });

  test("so they are where metrics alone are served", async () => {
    await using rig = await HttpRig.open({ access });
    const url = await rig.listen("monitoring");
    for (const [path, how] of BOTH) {
      const theirs = comparable(await ask(etcdMonitoring, path, how));
      const ours = comparable(await ask(url, path, how));
      expect({ path, ...how, answer: ours }).toEqual({ path, ...how, answer: theirs });
    }
  });

  test("an alarm makes both unwell", async () => {
    await using rig = await HttpRig.open();
    const url = await rig.listen("client");
    await etcd.call("/v3/maintenance/alarm", { action: 1, memberID: "1", alarm: 1 });
    await rig.member.alarm(AlarmAction.activate, 1n, AlarmType.noSpace);
    for (const path of ["/health", "/health?exclude=NOSPACE", "/health?exclude=CORRUPT"]) {
      const theirs = comparable(await ask(etcd.clientUrl, path));
      const ours = comparable(await ask(url, path));
      expect([path, ours.status]).toEqual([path, theirs.status]);
      expect(ours.body.trim()).toBe(theirs.body.trim());
    }
  });
});
