/** The same things are done to a real etcd and to a member here; what both show must be the same, and move the same. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithPeers } from "../../../test/support/describe-with-peers.ts";
import { type Family, parseExposition } from "../../../test/support/exposition.ts";
import { ask, HttpRig } from "../../../test/support/http-rig.ts";
import { RealEtcd } from "../../../test/support/real-etcd.ts";
import type { Member } from "../../engine/member.ts";
import type { Method, Service } from "../../grpc/service.ts";
import type { PutRequest, RangeRequest, RequestOp } from "../../proto/messages.ts";

/** What is Go's own, and what stays empty with us but for labels: action="…" of the v2 store. */
const NOT_OURS = /^go_|^etcd_debugging_store_(reads|writes)_total$/;

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const base64 = (text: string): string => Buffer.from(text).toString("base64");

const PUT: Omit<PutRequest, "key" | "value"> = {
  kind: "put",
  lease: 0n,
  prevKv: false,
  ignoreValue: false,
  ignoreLease: false,
};

function rangeOf(key: string, rangeEnd = ""): RangeRequest {
  return {
    kind: "range",
    key: bytes(key),
    rangeEnd: bytes(rangeEnd),
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
}

const put = (key: string, value: string, more: Partial<PutRequest> = {}): PutRequest => ({
  ...PUT,
  key: bytes(key),
  value: bytes(value),
  ...more,
});

const created = (key: string) =>
  ({
    result: 0,
    target: 1,
    key: bytes(key),
    rangeEnd: bytes(""),
    operand: { target: 1, number: 0 },
  }) as const;

const txnOf = (success: readonly RequestOp[], compared: readonly string[]) =>
  ({ kind: "txn", compare: compared.map(created), success, failure: [] }) as const;

/** One thing done, here and there. */
interface Deed {
  readonly here: (member: Member) => Promise<unknown>;
  readonly there: (etcd: RealEtcd) => Promise<unknown>;
}

const jsonPut = (key: string, value: string, more: object = {}): object => ({
  key: base64(key),
  value: base64(value),
  ...more,
});
const jsonCreated = (key: string): object => ({
  key: base64(key),
  target: "CREATE",
  create_revision: 0,
});

/** The watch sees what comes after it. */
let watched: { take(): unknown; cancel(): void } | undefined;
let watching: AbortController | undefined;
let seen: Promise<void> = Promise.resolve();

const DEEDS: readonly Deed[] = [
  {
    here: async (member) => {
      watched = member.watches.watch({ start: "w", end: "" }, () => undefined);
    },
    there: async (server) => {
      watching = new AbortController();
      const response = await fetch(`${server.clientUrl}/v3/watch`, {
        method: "POST",
        body: JSON.stringify({ create_request: { key: base64("w") } }),
        signal: watching.signal,
      });
      const reader = response.body?.getReader();
      let text = "";
      const until = async (word: string): Promise<void> => {
        while (!text.includes(word)) {
          const next = await reader?.read();
          if (next === undefined || next.done) throw new Error(`the watch ended: ${text}`);
          text += Buffer.from(next.value).toString();
        }
      };
      await until("created");
      seen = until('"value":"Mw=="');
    },
  },
  {
    here: (member) => member.put(put("w", "1")),
    there: (etcd) => etcd.call("/v3/kv/put", jsonPut("w", "1")),
  },
  {
    here: (member) => member.put(put("w", "22", { prevKv: true })),
    there: (etcd) => etcd.call("/v3/kv/put", jsonPut("w", "22", { prev_kv: true })),
  },
  {
    here: (member) => member.put(put("w", "3")),
    there: (etcd) => etcd.call("/v3/kv/put", jsonPut("w", "3")),
  },
  {
    here: async () => {
      for (let batch = watched?.take(); batch !== undefined; ) batch = watched?.take();
    },
    there: () => seen,
  },
  {
    here: async (member) => member.range(rangeOf("w")),
    there: (etcd) => etcd.call("/v3/kv/range", { key: base64("w") }),
  },
  {
    here: (member) => member.txn(txnOf([put("a", "1"), put("b", "2")], ["a", "b"])),
    there: (etcd) =>
      etcd.call("/v3/kv/txn", {
        compare: [jsonCreated("a"), jsonCreated("b")],
        success: [{ request_put: jsonPut("a", "1") }, { request_put: jsonPut("b", "2") }],
      }),
  },
  {
    here: (member) => member.txn(txnOf([put("c", "1")], ["c"])),
    there: (etcd) =>
      etcd.call("/v3/kv/txn", {
        compare: [jsonCreated("c")],
        success: [{ request_put: jsonPut("c", "1") }],
      }),
  },
  {
    here: (member) => member.txn(txnOf([rangeOf("a"), rangeOf("a", "z")], ["nothing"])),
    there: (etcd) =>
      etcd.call("/v3/kv/txn", {
        compare: [jsonCreated("nothing")],
        success: [
          { request_range: { key: base64("a") } },
          { request_range: { key: base64("a"), range_end: base64("z") } },
        ],
      }),
  },
  {
    here: (member) => member.txn(txnOf([rangeOf("a")], [])),
    there: (etcd) =>
      etcd.call("/v3/kv/txn", { success: [{ request_range: { key: base64("a") } }] }),
  },
  {
    here: (member) => member.leaseGrant(100, 7n),
    there: (etcd) => etcd.call("/v3/lease/grant", { TTL: 100, ID: 7 }),
  },
  {
    here: (member) => member.leaseGrant(3000, 8n),
    there: (etcd) => etcd.call("/v3/lease/grant", { TTL: 3000, ID: 8 }),
  },
  {
    here: (member) => member.put(put("l", "1", { lease: 7n })),
    there: (etcd) => etcd.call("/v3/kv/put", jsonPut("l", "1", { lease: 7 })),
  },
  {
    here: (member) => member.put(put("m", "1", { lease: 7n })),
    there: (etcd) => etcd.call("/v3/kv/put", jsonPut("m", "1", { lease: 7 })),
  },
  {
    here: (member) => member.put(put("l", "", { ignoreValue: true, lease: 7n })),
    there: (etcd) => etcd.call("/v3/kv/put", { key: base64("l"), ignore_value: true, lease: 7 }),
  },
  {
    here: (member) => member.leaseKeepAlive(8n),
    there: (etcd) => etcd.call("/v3/lease/keepalive", { ID: 8 }),
  },
  {
    here: (member) => member.leaseRevoke(7n),
    there: (etcd) => etcd.call("/v3/lease/revoke", { ID: 7 }),
  },
  {
    here: (member) =>
      member.deleteRange({
        kind: "deleteRange",
        key: bytes("a"),
        rangeEnd: bytes("d"),
        prevKv: true,
      }),
    there: (etcd) =>
      etcd.call("/v3/kv/deleterange", { key: base64("a"), range_end: base64("d"), prev_kv: true }),
  },
  {
    here: (member) =>
      member.deleteRange({
        kind: "deleteRange",
        key: bytes("nothing"),
        rangeEnd: bytes(""),
        prevKv: false,
      }),
    there: (etcd) => etcd.call("/v3/kv/deleterange", { key: base64("nothing") }),
  },
  {
    here: (member) => member.compact({ kind: "compaction", revision: 8, physical: true }),
    there: (etcd) => etcd.call("/v3/kv/compaction", { revision: 8, physical: true }),
  },
  {
    here: (member) => member.maintenance.hash(),
    there: (etcd) => etcd.call("/v3/maintenance/hash", {}),
  },
  {
    here: (member) => member.maintenance.defragment(),
    there: (etcd) => etcd.call("/v3/maintenance/defragment", {}),
  },
];

/** What must have moved by the same, by then. Not the pauses of compactions: etcd 3.4 does not count the last of each. */
const MOVED: readonly string[] = [
  "etcd_mvcc_put_total",
  "etcd_mvcc_delete_total",
  "etcd_mvcc_range_total",
  "etcd_mvcc_txn_total",
  "etcd_debugging_mvcc_put_total",
  "etcd_debugging_mvcc_txn_total",
  "etcd_debugging_mvcc_total_put_size_in_bytes",
  "etcd_debugging_mvcc_current_revision",
  "etcd_debugging_mvcc_compact_revision",
  "etcd_debugging_mvcc_keys_total",
  "etcd_debugging_mvcc_events_total",
  "etcd_debugging_mvcc_pending_events_total",
  "etcd_debugging_mvcc_watcher_total",
  "etcd_debugging_mvcc_watch_stream_total",
  "etcd_debugging_mvcc_slow_watcher_total",
  "etcd_debugging_mvcc_db_compaction_keys_total",
  "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds_count",
  "etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds_count",
  "etcd_mvcc_hash_duration_seconds_count",
  "etcd_disk_backend_defrag_duration_seconds_count",
  "etcd_debugging_lease_granted_total",
  "etcd_debugging_lease_revoked_total",
  "etcd_debugging_lease_renewed_total",
  "etcd_debugging_server_lease_expired_total",
  "etcd_debugging_lease_ttl_total_count",
  "etcd_debugging_lease_ttl_total_sum",
  'etcd_debugging_lease_ttl_total_bucket{le="128"}',
  "etcd_server_proposals_committed_total",
  "etcd_server_proposals_applied_total",
  "etcd_server_proposals_pending",
  "etcd_server_proposals_failed_total",
  "etcd_server_slow_apply_total",
];

/** What must be the same, whatever was done. */
const SAME: readonly string[] = [
  "etcd_server_has_leader",
  "etcd_server_is_leader",
  "etcd_server_is_learner",
  "etcd_server_quota_backend_bytes",
  "etcd_debugging_mvcc_current_revision",
  "etcd_debugging_mvcc_compact_revision",
  "etcd_debugging_mvcc_keys_total",
  "etcd_server_leader_changes_seen_total",
  'etcd_cluster_version{cluster_version="3.4"}',
  "etcd_disk_defrag_inflight",
];

describeWithPeers("metrics beside a real etcd", ["etcd", "etcdctl"], () => {
  let etcd: RealEtcd;

  beforeAll(async () => {
    etcd = await RealEtcd.start({ flags: ["--metrics", "extensive"] });
  });

  afterAll(() => etcd.stop("SIGKILL"));

  const theirs = async (): Promise<Map<string, Family>> =>
    parseExposition((await ask(etcd.clientUrl, "/metrics")).body);

  test("every one of etcd's is there, with its type, labels and buckets", async () => {
    const wanted = await theirs();
    await using rig = await HttpRig.open({
      services: servicesOf(wanted),
      handlingTimes: true,
    });
    const found = parseExposition(await rig.metrics.text());
    const missing = [...wanted.keys()].filter((name) => !NOT_OURS.test(name) && !found.has(name));
    expect(missing).toEqual([]);
    expect(wanted.size).toBeGreaterThan(100);
    for (const [name, family] of wanted) {
      const ours = found.get(name);
      if (NOT_OURS.test(name) || ours === undefined) continue;
      const { type, labelNames, bounds } = family;
      expect({ name, type: ours.type }).toEqual({ name, type });
      expect({ name, labelNames: ours.labelNames }).toEqual({ name, labelNames });
      expect({ name, bounds: ours.bounds }).toEqual({ name, bounds });
      if (name.startsWith("grpc_server_")) {
        expect([...ours.series.keys()].sort()).toEqual([...family.series.keys()].sort());
      }
    }
  });

  test("what is done moves both alike", async () => {
    await using rig = await HttpRig.open();
    const ours = async (): Promise<Map<string, Family>> =>
      parseExposition(await rig.metrics.text());
    const [ourStart, theirStart] = [await ours(), await theirs()];
    for (const { here, there } of DEEDS) {
      await here(rig.member);
      await there(etcd);
    }
    await expect
      .poll(async () => value(await theirs(), "etcd_debugging_mvcc_events_total"))
      .toBe(3);
    const [ourEnd, theirEnd] = [await ours(), await theirs()];
    watched?.cancel();
    watching?.abort();
    for (const series of MOVED) {
      const moved = value(ourEnd, series) - value(ourStart, series);
      // To find out the revision, etcd reads a key at each compaction.
      const extra = series === "etcd_mvcc_range_total" ? 1 : 0;
      const wanted = value(theirEnd, series) - value(theirStart, series) - extra;
      expect({ series, moved }).toEqual({ series, moved: wanted });
    }
    for (const series of SAME) {
      expect({ series, value: value(ourEnd, series) }).toEqual({
        series,
        value: value(theirEnd, series),
      });
    }
  });
});

/** The services that the metrics tell of. */
function servicesOf(families: ReadonlyMap<string, Family>): Service[] {
  const methods = new Map<string, Record<string, Method>>();
  for (const series of families.get("grpc_server_started_total")?.series.keys() ?? []) {
    const label = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(series)?.[1] ?? "";
    const service = label("grpc_service");
    const its = methods.get(service) ?? {};
    methods.set(service, { ...its, [label("grpc_method")]: methodOf(label("grpc_type")) });
  }
  return [...methods].map(([name, its]) => ({ name, methods: its }));
}

function methodOf(type: string): Method {
  const handle = (): void => undefined;
  if (type === "unary") return { kind: "unary", handle };
  if (type === "server_stream") return { kind: "serverStream", handle };
  const nothing = (): void => undefined;
  const listener = { message: nothing, halfClosed: nothing, closed: nothing, drained: nothing };
  return { kind: "bidiStream", open: () => listener };
}

function value(families: ReadonlyMap<string, Family>, series: string): number {
  for (const { series: all } of families.values()) {
    const found = all.get(series);
    if (found !== undefined) return found;
  }
  throw new Error(`there is no ${series}`);
}
