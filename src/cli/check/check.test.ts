import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { etcdctl, FakeTransport } from "../../../test/support/fake-transport.ts";
import { EtcdError } from "../../base/errors.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import { MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import { countedLoad, pacedLoad } from "./load.ts";

const KEYS = new FakeTransport().on(KV_METHODS.range, { kvs: [{ key: Buffer.from("k") }] });
const NEVER = new AbortController().signal;

function server(): FakeTransport {
  return new FakeTransport()
    .on(KV_METHODS.range, {})
    .on(KV_METHODS.put, {})
    .on(KV_METHODS.deleteRange, { header: { revision: 77n } })
    .on(KV_METHODS.compact, {})
    .on(MAINTENANCE_METHODS.defragment, {});
}

function paths({ calls }: FakeTransport): string[] {
  return [...new Set(calls.map(({ path }) => path.split("/").at(-1) ?? ""))];
}

describe("loads", () => {
  test("a steady rate gives all its puts, from no more clients than there are", async () => {
    let [begun, running, most] = [0, 0, 0];
    const put = async (): Promise<void> => {
      begun++;
      most = Math.max(most, ++running);
      await sleep(5);
      running--;
    };
    const stats = await pacedLoad(1000, 200, { clients: 3, put, signal: NEVER });
    expect(most).toBeLessThanOrEqual(3);
    expect(begun).toBeLessThanOrEqual(200);
    expect(begun).toBeGreaterThan(3);
    expect(stats.perSecond).toBeGreaterThan(0);
    expect(stats.slowestMs).toBeGreaterThanOrEqual(4);
    expect(stats.errors.size).toBe(0);
  });

  test("errors are counted by what they say", async () => {
    let i = 0;
    const put = async (): Promise<void> => {
      if (i++ % 2 === 0) throw new Error("every other");
    };
    const done: number[] = [];
    const load = { clients: 2, put, signal: NEVER };
    const stats = await countedLoad(10, load, (count) => done.push(count));
    expect(i).toBe(10);
    expect(done.at(-1)).toBe(10);
    expect([...stats.errors]).toEqual([["every other", 5]]);
  });

  test("a load that is asked to stop ends", async () => {
    const stop = new AbortController();
    const put = async (): Promise<void> => stop.abort();
    const stats = await pacedLoad(10, 3_600_000, { clients: 1, put, signal: stop.signal });
    expect(stats.errors.size).toBe(0);
  });
});

describe("check perf", () => {
  const args = ["check", "perf", "--duration=100ms", "--prefix=p/"];

  test("passes, and cleans up", async () => {
    const asked = server();
    const { code, out } = await etcdctl(asked, [...args, "--auto-compact", "--auto-defrag"]);
    expect(out).toMatch(
      /^Compacting with revision 77\nCompacted with revision 77\nDefragmenting "127\.0\.0\.1:2379"\nDefragmented "127\.0\.0\.1:2379"\nPASS: Throughput is \d+ writes\/s\nPASS: Slowest request took \d\.\d{6}s\nPASS: Stddev is \d\.\d{6}s\nPASS\n$/,
    );
    expect(code).toBe(0);
    expect(paths(asked)).toEqual(["Range", "Put", "DeleteRange", "Compact", "Defragment"]);
    const puts = asked.calls.filter(({ path }) => path === KV_METHODS.put.path);
    const sent = puts.map(({ request }) => request as { key: Uint8Array; value: Uint8Array });
    expect(sent.length).toBe(15);
    expect(new Set(sent.map(({ key }) => Buffer.from(key).toString("hex"))).size).toBe(15);
    expect(sent.every(({ key, value }) => key.length === 258 && value.length === 1024)).toBe(true);
  });

  test("fails on any error", async () => {
    const asked = server().on(KV_METHODS.put, new EtcdError("NO_SPACE"));
    const { code, out } = await etcdctl(asked, args);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^FAIL: too many errors\nFAIL: ERROR\(etcdserver: mvcc: database space exceeded\) -> 15\nFAIL: Throughput too low: 1 writes\/s\n/,
    );
    expect(out).toMatch(/\nFAIL\n$/);
  });

  test("says what it could not clean up", async () => {
    const asked = server().on(KV_METHODS.deleteRange, new EtcdError("TIMEOUT"));
    const { out } = await etcdctl(asked, args);
    expect(out).toContain(
      "FAIL: Cleanup failed during key deletion: ERROR(etcdserver: request timed out)\n",
    );
  });

  test("a signal ends it, and nothing is left behind", async () => {
    const asked = server();
    const { code } = await etcdctl(asked, ["check", "perf", "--duration=1h"], {
      began: (io) => io.send("SIGINT"),
    });
    expect(code).toBe(130);
    expect(paths(asked)).toContain("DeleteRange");
  });
});

describe("check datascale", () => {
  async function withMetrics<T>(page: string, work: (endpoint: string) => Promise<T>): Promise<T> {
    const http = createServer((_, response) => response.end(page));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    try {
      return await work(`127.0.0.1:${(http.address() as AddressInfo).port}`);
    } finally {
      http.close();
    }
  }

  const args = ["check", "datascale", "--limit=100", "--endpoints"];

  test("tells the memory that its keys took", async () => {
    const page = "# TYPE x gauge\nprocess_resident_memory_bytes 1.5e+07\n";
    const asked = server();
    const { code, out } = await withMetrics(page, (at) => etcdctl(asked, [...args, at]));
    expect([code, out]).toEqual([
      0,
      "Start data scale check for work load [100 key-value pairs, 1024 bytes per key-value, 50 concurrent clients].\n" +
        "PASS: Approximate system memory used : 0.00 MB.\n",
    ]);
    expect(asked.calls.filter(({ path }) => path === KV_METHODS.put.path)).toHaveLength(100);
    expect(paths(asked).at(-1)).toBe("DeleteRange");
  });

  test.each([
    ["nothing_else 1\n", "could not find: process_resident_memory_bytes"],
    ["process_resident_memory_bytes x\n", "parse error: process_resident_memory_bytes x"],
  ])("without the metric nothing is written: %j", async (page, why) => {
    const asked = server();
    const { code, out } = await withMetrics(page, (at) => etcdctl(asked, [...args, at]));
    expect([code, out]).toEqual([
      1,
      `${why}\nFAIL: Could not read process_resident_memory_bytes before the put operations.\n`,
    ]);
    expect(paths(asked)).toEqual(["Range"]);
  });
});

test.each([
  ["perf", "'etcdctl del --prefix /etcdctl-check-perf/'"],
  ["datascale", "etcdctl del --prefix /etcdctl-check-datascale/"],
])("check %s keeps off keys that are there", async (name, shown) => {
  const { code, err } = await etcdctl(KEYS, ["check", name]);
  expect([code, err]).toEqual([
    3,
    `Error: prefix "/etcdctl-check-${name}/" has keys. Delete with ${shown} first\n`,
  ]);
  const bad = await etcdctl(KEYS, ["check", name, "--load=zz"]);
  expect([bad.code, bad.err]).toEqual([4, "Error: unknown load option zz\n"]);
});
