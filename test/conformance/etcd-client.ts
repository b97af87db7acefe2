/** A real etcd 3.4 as a client, by its JSON gateway: int64 are strings there, bytes are base64, zeros are left out. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { RealEtcd } from "../support/real-etcd.ts";
import {
  type AlarmMember,
  type ClientWatch,
  type Compare,
  type DeleteAnswer,
  type DeleteRequest,
  type EtcdClient,
  type Kv,
  type LeaseAnswer,
  type LeaseTtl,
  type Op,
  type OpAnswer,
  type PutAnswer,
  type PutRequest,
  type RangeAnswer,
  type RangeRequest,
  Refusal,
  type Running,
  type Status,
  type Subject,
  type SubjectOptions,
  type TxnAnswer,
  type TxnRequest,
  type WatchAnswer,
  type WatchRequest,
} from "./client.ts";

/** What came back; everything may be missing. */
interface Json {
  readonly [name: string]: unknown;
}

export class GatewayClient implements EtcdClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async range(request: RangeRequest): Promise<RangeAnswer> {
    return rangeAnswer(await this.#call("/v3/kv/range", rangeJson(request)));
  }

  async put(request: PutRequest): Promise<PutAnswer> {
    return putAnswer(await this.#call("/v3/kv/put", putJson(request)));
  }

  async delete(request: DeleteRequest): Promise<DeleteAnswer> {
    return deleteAnswer(await this.#call("/v3/kv/deleterange", deleteJson(request)));
  }

  async txn(request: TxnRequest): Promise<TxnAnswer> {
    const answer = await this.#call("/v3/kv/txn", txnJson(request));
    return { revision: revisionOf(answer), ...txnAnswer(answer) };
  }

  async compact(revision: number, physical = false): Promise<void> {
    await this.#call("/v3/kv/compaction", { revision, physical });
  }

  async watch(request: WatchRequest): Promise<ClientWatch> {
    const {
      key,
      rangeEnd = "",
      startRevision = 0,
      prevKv = false,
      progressNotify = false,
    } = request;
    const filters = [
      ...(request.noPut ? ["NOPUT"] : []),
      ...(request.noDelete ? ["NODELETE"] : []),
    ];
    const create = {
      ...{ key: base64(key), range_end: base64(rangeEnd), start_revision: startRevision },
      ...{ filters, prev_kv: prevKv, progress_notify: progressNotify },
    };
    const watch = new GatewayWatch(this.#url, { create_request: create });
    await watch.created();
    return watch;
  }

  async leaseGrant(ttl: number, id = 0n): Promise<LeaseAnswer> {
    const answer = await this.#call("/v3/lease/grant", { TTL: ttl, ID: id.toString() });
    return { id: bigintOf(answer.ID), ttl: Number(answer.TTL) };
  }

  async leaseRevoke(id: bigint): Promise<void> {
    await this.#call("/v3/lease/revoke", { ID: id.toString() });
  }

  async leaseKeepAlive(id: bigint): Promise<number> {
    const { result } = await this.#call("/v3/lease/keepalive", { ID: id.toString() });
    return Number((result as Json).TTL ?? 0);
  }

  async leaseTimeToLive(id: bigint, keys = false): Promise<LeaseTtl> {
    const answer = await this.#call("/v3/lease/timetolive", { ID: id.toString(), keys });
    const names = ((answer.keys ?? []) as readonly string[]).map(unbase64).sort();
    return {
      ttl: Number(answer.TTL ?? 0),
      grantedTtl: Number(answer.grantedTTL ?? 0),
      keys: names,
    };
  }

  async leases(): Promise<readonly bigint[]> {
    const { leases = [] } = await this.#call("/v3/lease/leases", {});
    return (leases as readonly Json[]).map(({ ID }) => bigintOf(ID));
  }

  async alarms(alarm = 0): Promise<readonly AlarmMember[]> {
    return this.#alarm({ action: "GET", alarm });
  }

  async alarm(
    action: "activate" | "deactivate",
    memberId: bigint,
    alarm: number,
  ): Promise<readonly AlarmMember[]> {
    return this.#alarm({ action: action.toUpperCase(), memberID: memberId.toString(), alarm });
  }

  async status(): Promise<Status> {
    const answer = await this.#call("/v3/maintenance/status", {});
    return {
      revision: revisionOf(answer),
      memberId: bigintOf((answer.header as Json).member_id),
      leader: bigintOf(answer.leader),
      dbSize: Number(answer.dbSize),
      dbSizeInUse: Number(answer.dbSizeInUse),
      raftIndex: Number(answer.raftIndex),
      raftTerm: Number(answer.raftTerm),
    };
  }

  async close(): Promise<void> {}

  async #alarm(request: object): Promise<readonly AlarmMember[]> {
    const { alarms = [] } = await this.#call("/v3/maintenance/alarm", request);
    const numbers: Readonly<Record<string, number>> = { NONE: 0, NOSPACE: 1, CORRUPT: 2 };
    return (alarms as readonly Json[]).map(({ memberID, alarm }) => ({
      memberId: bigintOf(memberID),
      alarm: numbers[alarm as string] ?? Number(alarm),
    }));
  }

  async #call(path: string, body: object): Promise<Json> {
    const response = await fetch(this.#url + path, { method: "POST", body: JSON.stringify(body) });
    const answer = (await response.json()) as Json;
    if (!response.ok)
      throw new Refusal(Number(answer.code), String(answer.message ?? answer.error));
    return answer;
  }
}

/** Its answers are JSON, one a line. */
class GatewayWatch implements ClientWatch {
  readonly #request: ClientRequest;
  readonly #lines: Json[] = [];
  #text = "";
  #wake: (() => void) | undefined;
  #over = false;

  constructor(url: string, body: object) {
    this.#request = httpRequest(`${url}/v3/watch`, { method: "POST", agent: false });
    this.#request.on("error", () => this.#end());
    this.#request.on("response", (response: IncomingMessage) => {
      response.setEncoding("utf8");
      response.on("data", (text: string) => this.#read(text));
      response.on("end", () => this.#end());
      response.on("error", () => this.#end());
    });
    this.#request.end(JSON.stringify(body));
  }

  async created(): Promise<void> {
    const first = await this.#line(10_000);
    if (first?.created !== true) throw new Error(`not created: ${JSON.stringify(first)}`);
    if (first.canceled === true) this.#lines.unshift(first);
  }

  async next(waitMs: number): Promise<WatchAnswer | undefined> {
    const line = await this.#line(waitMs);
    if (line === undefined) return undefined;
    if (line.canceled === true) {
      if (line.compact_revision !== undefined) {
        return { kind: "compacted", compactRevision: Number(line.compact_revision) };
      }
      return { kind: "refused", reason: String(line.cancel_reason) };
    }
    const revision = revisionOf(line);
    const events = (line.events ?? []) as readonly Json[];
    if (events.length === 0) return { kind: "progress", revision };
    return {
      kind: "events",
      revision,
      events: events.map(({ type, kv, prev_kv }) => ({
        type: type === "DELETE" ? "delete" : "put",
        kv: kvOf(kv as Json),
        prevKv: prev_kv === undefined ? undefined : kvOf(prev_kv as Json),
      })),
    };
  }

  async cancel(): Promise<void> {
    this.#request.destroy();
    this.#end();
  }

  async #line(waitMs: number): Promise<Json | undefined> {
    if (this.#lines.length === 0 && !this.#over) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wake = (): void => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#lines.shift();
  }

  #read(text: string): void {
    const lines = (this.#text + text).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) this.#lines.push((JSON.parse(line) as { result: Json }).result);
    this.#wake?.();
  }

  #end(): void {
    this.#over = true;
    this.#wake?.();
  }
}

function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

function unbase64(text: unknown): string {
  return Buffer.from((text ?? "") as string, "base64").toString("latin1");
}

function bigintOf(text: unknown): bigint {
  return BigInt((text ?? 0) as string);
}

function revisionOf({ header }: Json): number {
  return Number((header as Json | undefined)?.revision ?? 0);
}

function rangeJson(request: RangeRequest): object {
  return {
    key: base64(request.key),
    range_end: base64(request.rangeEnd ?? ""),
    limit: request.limit,
    revision: request.revision,
    sort_order: request.sortOrder,
    sort_target: request.sortTarget,
    serializable: request.serializable,
    keys_only: request.keysOnly,
    count_only: request.countOnly,
    min_mod_revision: request.minModRevision,
    max_mod_revision: request.maxModRevision,
    min_create_revision: request.minCreateRevision,
    max_create_revision: request.maxCreateRevision,
  };
}

function putJson(request: PutRequest): object {
  return {
    key: base64(request.key),
    value: base64(request.value ?? ""),
    lease: request.lease?.toString(),
    prev_kv: request.prevKv,
    ignore_value: request.ignoreValue,
    ignore_lease: request.ignoreLease,
  };
}

function deleteJson(request: DeleteRequest): object {
  return {
    key: base64(request.key),
    range_end: base64(request.rangeEnd ?? ""),
    prev_kv: request.prevKv,
  };
}

function opJson(op: Op): object {
  if ("range" in op) return { request_range: rangeJson(op.range) };
  if ("put" in op) return { request_put: putJson(op.put) };
  if ("delete" in op) return { request_delete_range: deleteJson(op.delete) };
  if ("txn" in op) return { request_txn: txnJson(op.txn) };
  return {};
}

function txnJson({ compare = [], success = [], failure = [] }: TxnRequest): object {
  return {
    compare: compare.map(compareJson),
    success: success.map(opJson),
    failure: failure.map(opJson),
  };
}

function compareJson(compare: Compare): object {
  return {
    key: base64(compare.key),
    range_end: base64(compare.rangeEnd ?? ""),
    target: compare.target,
    result: compare.result,
    version: compare.version,
    create_revision: compare.createRevision,
    mod_revision: compare.modRevision,
    value: compare.value === undefined ? undefined : base64(compare.value),
    lease: compare.lease?.toString(),
  };
}

function kvOf(kv: Json): Kv {
  return {
    key: unbase64(kv.key),
    createRevision: Number(kv.create_revision ?? 0),
    modRevision: Number(kv.mod_revision ?? 0),
    version: Number(kv.version ?? 0),
    value: unbase64(kv.value),
    lease: bigintOf(kv.lease),
  };
}

function kvsOf(kvs: unknown): Kv[] {
  return ((kvs ?? []) as readonly Json[]).map(kvOf);
}

function rangeAnswer(answer: Json): RangeAnswer {
  return {
    revision: revisionOf(answer),
    kvs: kvsOf(answer.kvs),
    more: answer.more === true,
    count: Number(answer.count ?? 0),
  };
}

function putAnswer(answer: Json): PutAnswer {
  const prevKv = answer.prev_kv === undefined ? undefined : kvOf(answer.prev_kv as Json);
  return { revision: revisionOf(answer), prevKv };
}

function deleteAnswer(answer: Json): DeleteAnswer {
  return {
    revision: revisionOf(answer),
    deleted: Number(answer.deleted ?? 0),
    prevKvs: kvsOf(answer.prev_kvs),
  };
}

function txnAnswer(answer: Json): Omit<TxnAnswer, "revision"> {
  const responses = (answer.responses ?? []) as readonly Json[];
  return { succeeded: answer.succeeded === true, responses: responses.map(opAnswer) };
}

function opAnswer(op: Json): OpAnswer {
  if (op.response_range !== undefined) return { range: rangeAnswer(op.response_range as Json) };
  if (op.response_put !== undefined) return { put: putAnswer(op.response_put as Json) };
  if (op.response_delete_range !== undefined) {
    return { delete: deleteAnswer(op.response_delete_range as Json) };
  }
  return { txn: txnAnswer(op.response_txn as Json) };
}

export const etcdSubject: Subject = {
  name: "etcd 3.4",
  rules: "3.4",
  quietMs: 300,
  async start(options: SubjectOptions = {}): Promise<Running> {
    const { quotaBytes, maxTxnOps, maxRequestBytes, progressIntervalMs } = options;
    const flags = [
      ["--quota-backend-bytes", quotaBytes],
      ["--max-txn-ops", maxTxnOps],
      ["--max-request-bytes", maxRequestBytes],
      [
        "--experimental-watch-progress-notify-interval",
        progressIntervalMs && `${progressIntervalMs}ms`,
      ],
    ]
      .filter(([, value]) => value !== undefined)
      .flat()
      .map(String);
    let etcd = await RealEtcd.start({ flags });
    return {
      client: new GatewayClient(etcd.clientUrl),
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      restart: async () => {
        await etcd.stop();
        etcd = await RealEtcd.start({ flags, dataDir: etcd.dataDir });
        return new GatewayClient(etcd.clientUrl);
      },
      stop: () => etcd.stop("SIGKILL"),
    };
  },
};
