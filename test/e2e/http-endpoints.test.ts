/**
 * HTTP/1.1 beside gRPC on one port, of a whole server: what it tells of itself while real clients use it, and the same
 * of a real etcd that is used in the same way.
 */
import { readFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KV } from "../../src/proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { EtcdServer } from "../../src/server/server.ts";
import { builtFile } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { type Family, parseExposition } from "../support/exposition.ts";
import { ask } from "../support/http-rig.ts";
import { etcdctl, RealEtcd } from "../support/real-etcd.ts";
import { WireClient } from "../support/wire-client.ts";

// The storage thread is the built one.
builtFile("strata");

type Flags = Readonly<Record<string, string | number | boolean>>;

function startServer(flags: Flags = {}): Promise<EtcdServer> {
  return EtcdServer.start({
    flags: {
      "data-dir": join(scratchFolder("http"), "data"),
      "listen-client-urls": "http://127.0.0.1:0",
      ...flags,
    },
  });
}

const urlOf = ({ clientUrls }: EtcdServer): string => clientUrls[0] ?? "";

async function metricsOf(url: string): Promise<Map<string, Family>> {
  return parseExposition((await ask(url, "/metrics")).body);
}

/** All series of a family, by name and labels. */
function seriesOf(families: ReadonlyMap<string, Family>, name: string): Record<string, number> {
  return Object.fromEntries(families.get(name)?.series ?? []);
}

test("the command-line's metrics URLs serve health and metrics, and the client URL everything", async () => {
  await using server = await startServer({
    "listen-metrics-urls": "http://127.0.0.1:0",
    metrics: "extensive",
  });
  const [monitoring = ""] = server.metricsUrls;
  for (const path of ["/health", "/metrics", "/livez", "/readyz"]) {
    expect((await ask(monitoring, path)).status, path).toBe(200);
    expect((await ask(urlOf(server), path)).status, path).toBe(200);
  }
  expect((await ask(monitoring, "/version")).status).toBe(404);
  expect((await ask(urlOf(server), "/version")).status).toBe(200);
  const families = await metricsOf(monitoring);
  expect(families.get("grpc_server_handling_seconds")?.bounds).toHaveLength(12);
  expect(families.get("etcd_server_version")?.series.size).toBe(1);
});

test("HTTP/1.1 over TLS on the port of gRPC", async () => {
  const dataDir = join(scratchFolder("https"), "data");
  await using server = await startServer({
    "data-dir": dataDir,
    "listen-client-urls": "https://127.0.0.1:0",
    "auto-tls": true,
    "host-whitelist": "nobody.example",
  });
  const ca = readFileSync(join(dataDir, "fixtures/client/cert.pem"));
  const body = await new Promise<string>((resolve, reject) => {
    // By name only plain HTTP is refused. Whoever is asked at 127.0.0.1 has a certificate for it.
    httpsRequest(`${urlOf(server)}/health`, { ca, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (more: string) => {
        text += more;
      });
      response.on("end", () => resolve(`${response.statusCode} ${text}`));
    })
      .on("error", reject)
      .end();
  });
  expect(body).toBe('200 {"health":"true","reason":""}');
});

describeWithPeers("with etcdctl, and beside a real etcd", ["etcd", "etcdctl"], () => {
  let etcd: RealEtcd;
  let server: EtcdServer;

  beforeAll(async () => {
    etcd = await RealEtcd.start();
    server = await startServer();
  });

  afterAll(async () => {
    await etcd.stop("SIGKILL");
    await server.close();
  });

  const both = async (...args: readonly string[]): Promise<void> => {
    for (const url of [etcd.clientUrl, urlOf(server)]) {
      const { code, stderr } = await etcdctl("--endpoints", url, ...args);
      expect([args, code, stderr]).toEqual([args, 0, ""]);
    }
  };

  test("every method that etcd counts is counted, from the start", async () => {
    const [theirs, ours] = [await metricsOf(etcd.clientUrl), await metricsOf(urlOf(server))];
    for (const name of ["grpc_server_started_total", "grpc_server_handled_total"]) {
      const here = new Set(Object.keys(seriesOf(ours, name)));
      const wanted = Object.keys(seriesOf(theirs, name));
      expect(wanted.length).toBeGreaterThan(30);
      expect(wanted.filter((series) => !here.has(series))).toEqual([]);
    }
  });

  test("calls are counted as etcd counts them", async () => {
    await both("put", "a", "1");
    await both("put", "b", "22", "--prev-kv");
    await both("get", "a", "--prefix");
    await both("del", "a");
    await both("lease", "grant", "100");
    await both("member", "list");
    await both("endpoint", "status");
    await both("endpoint", "hashkv");
    await both("compact", "3");
    const [theirs, ours] = [await metricsOf(etcd.clientUrl), await metricsOf(urlOf(server))];
    for (const name of [
      "grpc_server_started_total",
      "grpc_server_handled_total",
      "grpc_server_msg_received_total",
      "grpc_server_msg_sent_total",
    ]) {
      const here = seriesOf(ours, name);
      for (const [series, value] of Object.entries(seriesOf(theirs, name))) {
        expect({ series, value: here[series] }).toEqual({ series, value });
      }
    }
    for (const name of [
      "etcd_network_client_grpc_received_bytes_total",
      "etcd_server_client_requests_total",
      "etcd_mvcc_put_total",
      "etcd_mvcc_delete_total",
      "etcd_debugging_mvcc_total_put_size_in_bytes",
      "etcd_debugging_mvcc_keys_total",
      "etcd_debugging_mvcc_compact_revision",
      "etcd_debugging_mvcc_db_compaction_keys_total",
      "etcd_debugging_lease_granted_total",
    ]) {
      expect(seriesOf(ours, name)).toEqual(seriesOf(theirs, name));
    }
  });

  test("scrapes among clients: none fails, and counters only grow", async () => {
    let stop = false;
    const scrape = async (): Promise<number> => {
      let last = 0;
      let scrapes = 0;
      for (; !stop; scrapes++) {
        const { status, body } = await ask(urlOf(server), "/metrics");
        expect(status).toBe(200);
        const families = parseExposition(body);
        const puts = seriesOf(families, "etcd_mvcc_put_total").etcd_mvcc_put_total ?? -1;
        expect(puts).toBeGreaterThanOrEqual(last);
        last = puts;
      }
      return scrapes;
    };
    const scrapers = [scrape(), scrape(), scrape(), scrape()];
    const client = new WireClient(new URL(urlOf(server)).host);
    const value = new Uint8Array(256);
    const worker = async (number: number): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        await client.call(KV.method.put, { key: Buffer.from(`load-${number}-${i}`), value });
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, number) => worker(number)));
    stop = true;
    const counts = await Promise.all(scrapers);
    client.close();
    for (const scrapes of counts) expect(scrapes).toBeGreaterThan(1);
    const families = await metricsOf(urlOf(server));
    expect(seriesOf(families, "etcd_server_proposals_failed_total")).toEqual({
      etcd_server_proposals_failed_total: 0,
    });
  });

  test("history goes by itself with --auto-compaction-retention", async () => {
    await using small = await startServer({ "auto-compaction-retention": "1s" });
    const endpoints = ["--endpoints", urlOf(small)];
    for (let i = 0; i < 5; i++) await etcdctl(...endpoints, "put", "k", `v${i}`);
    await expect
      .poll(
        async () => {
          const families = await metricsOf(urlOf(small));
          const name = "etcd_debugging_mvcc_compact_revision";
          return seriesOf(families, name)[name];
        },
        { timeout: 30_000 },
      )
      .toBe(6);
    const old = await etcdctl(...endpoints, "get", "k", "--rev=2");
    expect(old.stderr).toContain("required revision has been compacted");
    expect((await etcdctl(...endpoints, "get", "k")).stdout).toBe("k\nv4\n");
  });
});
