/** A real etcd behind its JSON gateway, as `RunningMember`. */
import type {
  Action,
  Change,
  HashKv,
  HistoryEvent,
  LeaseState,
  Outcome,
  Revision,
  Row,
  RunningMember,
  State,
} from "./member-actions.ts";
import { RealEtcd } from "./real-etcd.ts";

/** Whoever is answered so may be sure that nothing was done; after anything else nobody is. */
const REFUSALS: readonly string[] = [
  "etcdserver: requested lease not found",
  "etcdserver: lease already exists",
  "etcdserver: mvcc: database space exceeded",
  "etcdserver: mvcc: required revision has been compacted",
];

interface Json {
  readonly header?: {
    readonly revision?: string;
    readonly member_id: string;
    readonly cluster_id: string;
  };
  readonly deleted?: string;
  readonly kvs?: readonly JsonKv[];
  readonly leases?: readonly { readonly ID: string }[];
  readonly ID?: string;
  readonly TTL?: string;
  readonly grantedTTL?: string;
  readonly keys?: readonly string[];
  readonly alarms?: readonly { readonly memberID?: string; readonly alarm: string }[];
}

interface JsonKv {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision: string;
  readonly version?: string;
  readonly lease?: string;
}

interface JsonWatch {
  readonly result?: {
    readonly header: { readonly revision: string };
    readonly canceled?: boolean;
    readonly compact_revision?: string;
    readonly events?: readonly { readonly type?: "DELETE"; readonly kv: JsonKv }[];
  };
}

const ALL = { key: "AA==", range_end: "AA==" };
const ALARM_TYPES = ["NONE", "NOSPACE", "CORRUPT"];

export class EtcdMember implements RunningMember, AsyncDisposable {
  readonly kind = "etcd";
  readonly etcd: RealEtcd;

  private constructor(etcd: RealEtcd) {
    this.etcd = etcd;
  }

  static async start(dataDir: string, flags: readonly string[] = []): Promise<EtcdMember> {
    return new EtcdMember(await RealEtcd.start({ dataDir, flags, readyToRead: true }));
  }

  async act(action: Action): Promise<Outcome> {
    const [path, body] = requestOf(action);
    try {
      const response = await fetch(this.etcd.clientUrl + path, {
        method: "POST",
        body: JSON.stringify(body),
      });
      const text = await response.text();
      if (!response.ok) {
        const why = (JSON.parse(text) as { error?: string }).error ?? text;
        return REFUSALS.includes(why) ? { kind: "refused", why } : { kind: "lost" };
      }
      return outcomeOf(action, JSON.parse(text) as Json);
    } catch {
      return { kind: "lost" };
    }
  }

  async state(): Promise<State> {
    for (;;) {
      const before = await this.#stateNow();
      const after = await this.#stateNow();
      if (before.revision === after.revision) return before;
    }
  }

  /** Put together from several answers. */
  async #stateNow(): Promise<State> {
    const { kvs = [], header } = await this.#call("/v3/kv/range", ALL);
    const leases: LeaseState[] = [];
    for (const { ID: id } of (await this.#call("/v3/lease/leases", {})).leases ?? []) {
      const lease = await this.#call("/v3/lease/timetolive", { ID: id, keys: true });
      if (lease.grantedTTL === undefined) continue;
      leases.push({
        id,
        ttl: Number(lease.TTL),
        grantedTtl: Number(lease.grantedTTL),
        keys: (lease.keys ?? []).map(text).sort(),
      });
    }
    const { alarms = [] } = await this.#call("/v3/maintenance/alarm", { action: "GET" });
    return {
      revision: Number(header?.revision),
      compacted: (await this.hash()).compacted,
      member: header?.member_id ?? "",
      cluster: header?.cluster_id ?? "",
      alarms: alarms.map(
        ({ memberID = "0", alarm }) => `${memberID} ${ALARM_TYPES.indexOf(alarm)}`,
      ),
      rows: kvs.map(rowOf),
      leases,
    };
  }

  async history(from: number): Promise<Revision[]> {
    const { header } = await this.#call("/v3/kv/range", { ...ALL, count_only: true });
    const last = Number(header?.revision);
    const revisions: Revision[] = [];
    if (from > last) return revisions;
    for await (const { main, event } of this.#watch(from)) {
      if (revisions.at(-1)?.main !== main) {
        if (main > last) break;
        revisions.push({ main, events: [] });
      }
      if (event !== undefined) revisions.at(-1)?.events.push(event);
    }
    return revisions;
  }

  async hash(revision = 0): Promise<HashKv> {
    const { code, stdout, stderr } = await this.etcd.etcdctl(
      ...["endpoint", "hashkv", "--rev", `${revision}`, "-w", "json"],
    );
    if (code !== 0) throw new Error(stderr);
    const [{ HashKV }] = JSON.parse(stdout) as [
      { HashKV: { header: { revision: number }; hash: number; compact_revision?: number } },
    ];
    const { header, hash, compact_revision: compacted = 0 } = HashKV;
    return { hash, revision: revision || header.revision, compacted };
  }

  async end(how: "clean" | "kill"): Promise<void> {
    await this.etcd.stop(how === "clean" ? "SIGTERM" : "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.etcd.stop("SIGKILL");
  }

  async #call(path: string, body: object): Promise<Json> {
    return (await this.etcd.call(path, body)) as Json;
  }

  /** Every event from a revision on; a marker with a higher revision, or the end of the stream, when all are told. */
  async *#watch(from: number): AsyncGenerator<{ main: number; event?: HistoryEvent }> {
    const stop = new AbortController();
    const response = await fetch(`${this.etcd.clientUrl}/v3/watch`, {
      method: "POST",
      body: JSON.stringify({ create_request: { ...ALL, start_revision: String(from) } }),
      signal: stop.signal,
    });
    let last = Number.POSITIVE_INFINITY;
    try {
      for await (const { result } of linesOf(response)) {
        if (result === undefined) throw new Error("the watch has failed");
        if (result.canceled) throw new Error(`the watch was cancelled: ${JSON.stringify(result)}`);
        last = Math.min(last, Number(result.header.revision));
        let main = 0;
        for (const { type, kv } of result.events ?? []) {
          main = Number(kv.mod_revision);
          yield { main, event: type === "DELETE" ? { deleted: text(kv.key) } : rowOf(kv) };
        }
        if (main >= last) return;
      }
    } finally {
      stop.abort();
    }
  }
}

async function* linesOf(response: Response): AsyncGenerator<JsonWatch> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as JsonWatch;
  }
}

function requestOf(action: Action): [path: string, body: object] {
  switch (action.kind) {
    case "put":
      return ["/v3/kv/put", putOf(action)];
    case "delete":
      return ["/v3/kv/deleterange", deleteOf(action)];
    case "txn":
      return [
        "/v3/kv/txn",
        {
          compare: [
            { target: "VERSION", result: "GREATER", key: base64(action.ifThere), version: "0" },
          ],
          success: action.success.map(operationOf),
          failure: action.failure.map(operationOf),
        },
      ];
    case "grant":
      return ["/v3/lease/grant", { ID: action.id, TTL: String(action.ttl) }];
    case "revoke":
      return ["/v3/lease/revoke", { ID: action.id }];
    case "keepAlive":
      return ["/v3/lease/keepalive", { ID: action.id }];
    case "compact":
      return ["/v3/kv/compaction", { revision: String(action.revision) }];
    case "raiseAlarm":
    case "disarm": {
      const verb = action.kind === "disarm" ? "DEACTIVATE" : "ACTIVATE";
      return ["/v3/maintenance/alarm", { action: verb, memberID: action.member, alarm: "NOSPACE" }];
    }
  }
}

function outcomeOf(action: Action, { header, deleted }: Json): Outcome {
  const revision = Number(header?.revision);
  switch (action.kind) {
    case "put":
    case "txn":
      return { kind: "done", revision, changed: true };
    case "delete":
      return { kind: "done", revision, changed: Number(deleted ?? 0) > 0 };
    default:
      return { kind: "done" };
  }
}

function operationOf(change: Change): object {
  return change.kind === "put"
    ? { request_put: putOf(change) }
    : { request_delete_range: deleteOf(change) };
}

function putOf({ key, value, lease }: Change & { kind: "put" }): object {
  return { key: base64(key), value: base64(value), ...(lease !== undefined && { lease }) };
}

function deleteOf({ key, end }: Change & { kind: "delete" }): object {
  return { key: base64(key), ...(end !== undefined && { range_end: base64(end) }) };
}

function rowOf({ key, value = "", create_revision, mod_revision, version, lease }: JsonKv): Row {
  return {
    key: text(key),
    value: text(value),
    create: Number(create_revision),
    mod: Number(mod_revision),
    version: Number(version),
    lease: lease ?? "0",
  };
}

function base64(plain: string): string {
  return Buffer.from(plain).toString("base64");
}

function text(encoded: string): string {
  return Buffer.from(encoded, "base64").toString();
}
