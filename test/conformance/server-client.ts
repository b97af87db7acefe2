/** A server by its gRPC port: strata, or a real etcd, which judges what stands here. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import * as rpc from "../../src/proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import type * as mvcc from "../../src/proto/gen/etcd/api/mvccpb/kv_pb.ts";
import { type ServerKind, ServerProcess } from "../support/server-process.ts";
import { WireClient, WireError, type WireStream } from "../support/wire-client.ts";
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

const { KV, Lease, Maintenance, Watch } = rpc;

export class ServerClient implements EtcdClient {
  readonly #wire: WireClient;

  constructor(wire: WireClient) {
    this.#wire = wire;
  }

  async range(request: RangeRequest): Promise<RangeAnswer> {
    const answer = await refused(this.#wire.call(KV.method.range, rangeMessage(request)));
    return rangeAnswer(answer);
  }

  async put(request: PutRequest): Promise<PutAnswer> {
    return putAnswer(await refused(this.#wire.call(KV.method.put, putMessage(request))));
  }

  async delete(request: DeleteRequest): Promise<DeleteAnswer> {
    const message = deleteMessage(request);
    return deleteAnswer(await refused(this.#wire.call(KV.method.deleteRange, message)));
  }

  async txn(request: TxnRequest): Promise<TxnAnswer> {
    const answer = await refused(this.#wire.call(KV.method.txn, txnMessage(request)));
    return { revision: revisionOf(answer), ...txnAnswer(answer) };
  }

  async compact(revision: number, physical = false): Promise<void> {
    await refused(this.#wire.call(KV.method.compact, { revision: BigInt(revision), physical }));
  }

  async watch(request: WatchRequest): Promise<ClientWatch> {
    const stream = this.#wire.open(Watch.method.watch);
    const filters = [
      ...(request.noPut ? [rpc.WatchCreateRequest_FilterType.NOPUT] : []),
      ...(request.noDelete ? [rpc.WatchCreateRequest_FilterType.NODELETE] : []),
    ];
    stream.send({
      requestUnion: {
        case: "createRequest",
        value: {
          key: bytes(request.key),
          rangeEnd: bytes(request.rangeEnd ?? ""),
          startRevision: BigInt(request.startRevision ?? 0),
          filters,
          prevKv: request.prevKv ?? false,
          progressNotify: request.progressNotify ?? false,
        },
      },
    });
    const first = await stream.must();
    if (!first.created) throw new Error(`not created: ${first.cancelReason}`);
    return new ServerWatch(stream, first);
  }

  async leaseGrant(ttl: number, id = 0n): Promise<LeaseAnswer> {
    const request = { TTL: BigInt(ttl), ID: id };
    const answer = await refused(this.#wire.call(Lease.method.leaseGrant, request));
    return { id: answer.ID, ttl: Number(answer.TTL) };
  }

  async leaseRevoke(id: bigint): Promise<void> {
    await refused(this.#wire.call(Lease.method.leaseRevoke, { ID: id }));
  }

  async leaseKeepAlive(id: bigint): Promise<number> {
    const stream = this.#wire.open(Lease.method.leaseKeepAlive);
    stream.send({ ID: id });
    const { TTL } = await refused(stream.must());
    stream.close();
    return Number(TTL);
  }

  async leaseTimeToLive(id: bigint, keys = false): Promise<LeaseTtl> {
    const answer = await refused(this.#wire.call(Lease.method.leaseTimeToLive, { ID: id, keys }));
    return {
      ttl: Number(answer.TTL),
      grantedTtl: Number(answer.grantedTTL),
      keys: answer.keys.map(text).sort(),
    };
  }

  async leases(): Promise<readonly bigint[]> {
    const { leases } = await refused(this.#wire.call(Lease.method.leaseLeases, {}));
    return leases.map(({ ID }) => ID);
  }

  async alarms(alarm = 0): Promise<readonly AlarmMember[]> {
    return this.#alarm(rpc.AlarmRequest_AlarmAction.GET, 0n, alarm as rpc.AlarmType);
  }

  async alarm(
    action: "activate" | "deactivate",
    memberId: bigint,
    alarm: number,
  ): Promise<readonly AlarmMember[]> {
    const { ACTIVATE, DEACTIVATE } = rpc.AlarmRequest_AlarmAction;
    return this.#alarm(
      action === "activate" ? ACTIVATE : DEACTIVATE,
      memberId,
      alarm as rpc.AlarmType,
    );
  }

  async status(): Promise<Status> {
    const answer = await refused(this.#wire.call(Maintenance.method.status, {}));
    return {
      revision: revisionOf(answer),
      memberId: answer.header?.memberId ?? 0n,
      leader: answer.leader,
      dbSize: Number(answer.dbSize),
      dbSizeInUse: Number(answer.dbSizeInUse),
      raftIndex: Number(answer.raftIndex),
      raftTerm: Number(answer.raftTerm),
    };
  }

  async close(): Promise<void> {
    this.#wire.close();
  }

  async #alarm(
    action: rpc.AlarmRequest_AlarmAction,
    memberID: bigint,
    alarm: rpc.AlarmType,
  ): Promise<readonly AlarmMember[]> {
    const request = { action, memberID, alarm };
    const { alarms } = await refused(this.#wire.call(Maintenance.method.alarm, request));
    return alarms.map((member) => ({ memberId: member.memberID, alarm: member.alarm }));
  }
}

type WatchStream = WireStream<typeof rpc.WatchRequestSchema, typeof rpc.WatchResponseSchema>;

class ServerWatch implements ClientWatch {
  readonly #stream: WatchStream;
  /** Created and cancelled at once. */
  #first: rpc.WatchResponse | undefined;

  constructor(stream: WatchStream, first: rpc.WatchResponse) {
    this.#stream = stream;
    if (first.canceled) this.#first = first;
  }

  async next(waitMs: number): Promise<WatchAnswer | undefined> {
    const answer = this.#first ?? (await this.#stream.next(waitMs));
    this.#first = undefined;
    if (answer === undefined) return undefined;
    if (answer.canceled) {
      if (answer.compactRevision !== 0n) {
        return { kind: "compacted", compactRevision: Number(answer.compactRevision) };
      }
      return { kind: "refused", reason: answer.cancelReason };
    }
    const revision = revisionOf(answer);
    if (answer.events.length === 0) return { kind: "progress", revision };
    return {
      kind: "events",
      revision,
      events: answer.events.map(({ type, kv, prevKv }) => ({
        type: type === 1 ? "delete" : "put",
        kv: mustKv(kv),
        prevKv: prevKv && kvOf(prevKv),
      })),
    };
  }

  async cancel(): Promise<void> {
    this.#stream.cancel();
  }
}

/** What the wire says as an error is a refusal here. */
async function refused<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof WireError ? new Refusal(error.code, error.message) : error;
  }
}

export function bytes(latin1: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(latin1, "latin1"));
}

export function text(latin1: Uint8Array): string {
  return Buffer.from(latin1).toString("latin1");
}

function revisionOf({ header }: { readonly header?: rpc.ResponseHeader | undefined }): number {
  return Number(header?.revision ?? 0n);
}

function rangeMessage(request: RangeRequest): MessageInitShape<typeof rpc.RangeRequestSchema> {
  return {
    key: bytes(request.key),
    rangeEnd: bytes(request.rangeEnd ?? ""),
    limit: BigInt(request.limit ?? 0),
    revision: BigInt(request.revision ?? 0),
    sortOrder: (request.sortOrder ?? 0) as rpc.RangeRequest_SortOrder,
    sortTarget: (request.sortTarget ?? 0) as rpc.RangeRequest_SortTarget,
    serializable: request.serializable ?? false,
    keysOnly: request.keysOnly ?? false,
    countOnly: request.countOnly ?? false,
    minModRevision: BigInt(request.minModRevision ?? 0),
    maxModRevision: BigInt(request.maxModRevision ?? 0),
    minCreateRevision: BigInt(request.minCreateRevision ?? 0),
    maxCreateRevision: BigInt(request.maxCreateRevision ?? 0),
  };
}

function putMessage(request: PutRequest): MessageInitShape<typeof rpc.PutRequestSchema> {
  return {
    key: bytes(request.key),
    value: bytes(request.value ?? ""),
    lease: request.lease ?? 0n,
    prevKv: request.prevKv ?? false,
    ignoreValue: request.ignoreValue ?? false,
    ignoreLease: request.ignoreLease ?? false,
  };
}

function deleteMessage(
  request: DeleteRequest,
): MessageInitShape<typeof rpc.DeleteRangeRequestSchema> {
  return {
    key: bytes(request.key),
    rangeEnd: bytes(request.rangeEnd ?? ""),
    prevKv: request.prevKv ?? false,
  };
}

function opMessage(op: Op): MessageInitShape<typeof rpc.RequestOpSchema> {
  if ("range" in op) return { request: { case: "requestRange", value: rangeMessage(op.range) } };
  if ("put" in op) return { request: { case: "requestPut", value: putMessage(op.put) } };
  if ("delete" in op) {
    return { request: { case: "requestDeleteRange", value: deleteMessage(op.delete) } };
  }
  if ("txn" in op) return { request: { case: "requestTxn", value: txnMessage(op.txn) } };
  return {};
}

function txnMessage({
  compare = [],
  success = [],
  failure = [],
}: TxnRequest): MessageInitShape<typeof rpc.TxnRequestSchema> {
  return {
    compare: compare.map(compareMessage),
    success: success.map(opMessage),
    failure: failure.map(opMessage),
  };
}

function compareMessage(compare: Compare): MessageInitShape<typeof rpc.CompareSchema> {
  const message = {
    key: bytes(compare.key),
    rangeEnd: bytes(compare.rangeEnd ?? ""),
    target: compare.target as rpc.Compare_CompareTarget,
    result: compare.result as rpc.Compare_CompareResult,
  };
  const { version, createRevision, modRevision, value, lease } = compare;
  if (version !== undefined) {
    return { ...message, targetUnion: { case: "version", value: BigInt(version) } };
  }
  if (createRevision !== undefined) {
    return { ...message, targetUnion: { case: "createRevision", value: BigInt(createRevision) } };
  }
  if (modRevision !== undefined) {
    return { ...message, targetUnion: { case: "modRevision", value: BigInt(modRevision) } };
  }
  if (value !== undefined) {
    return { ...message, targetUnion: { case: "value", value: bytes(value) } };
  }
  if (lease !== undefined) return { ...message, targetUnion: { case: "lease", value: lease } };
  return message;
}

export function kvOf(kv: mvcc.KeyValue): Kv {
  return {
    key: text(kv.key),
    createRevision: Number(kv.createRevision),
    modRevision: Number(kv.modRevision),
    version: Number(kv.version),
    value: text(kv.value),
    lease: kv.lease,
  };
}

function mustKv(kv: mvcc.KeyValue | undefined): Kv {
  if (kv === undefined) throw new Error("an event without a key");
  return kvOf(kv);
}

function rangeAnswer(answer: rpc.RangeResponse): RangeAnswer {
  return {
    revision: revisionOf(answer),
    kvs: answer.kvs.map(kvOf),
    more: answer.more,
    count: Number(answer.count),
  };
}

function putAnswer(answer: rpc.PutResponse): PutAnswer {
  return { revision: revisionOf(answer), prevKv: answer.prevKv && kvOf(answer.prevKv) };
}

function deleteAnswer(answer: rpc.DeleteRangeResponse): DeleteAnswer {
  const { deleted, prevKvs } = answer;
  return { revision: revisionOf(answer), deleted: Number(deleted), prevKvs: prevKvs.map(kvOf) };
}

function txnAnswer({ succeeded, responses }: rpc.TxnResponse): Omit<TxnAnswer, "revision"> {
  return { succeeded, responses: responses.map(opAnswer) };
}

function opAnswer({ response }: rpc.ResponseOp): OpAnswer {
  switch (response.case) {
    case "responseRange":
      return { range: rangeAnswer(response.value) };
    case "responsePut":
      return { put: putAnswer(response.value) };
    case "responseDeleteRange":
      return { delete: deleteAnswer(response.value) };
    case "responseTxn":
      return { txn: txnAnswer(response.value) };
    default:
      throw new Error("an operation without an answer");
  }
}

export function serverFlags(options: SubjectOptions): string[] {
  const { quotaBytes, maxTxnOps, maxRequestBytes, progressIntervalMs } = options;
  return [
    ...(quotaBytes === undefined ? [] : [`--quota-backend-bytes=${quotaBytes}`]),
    ...(maxTxnOps === undefined ? [] : [`--max-txn-ops=${maxTxnOps}`]),
    ...(maxRequestBytes === undefined ? [] : [`--max-request-bytes=${maxRequestBytes}`]),
    ...(progressIntervalMs === undefined
      ? []
      : [`--experimental-watch-progress-notify-interval=${progressIntervalMs}ms`]),
  ];
}

export function serverSubject(kind: ServerKind): Subject {
  return {
    name: `${kind} by gRPC`,
    rules: kind === "etcd" ? "3.4" : "newest",
    measures: true,
    quietMs: 150,
    async start(options: SubjectOptions = {}): Promise<Running> {
      const server = await ServerProcess.start({ kind, flags: serverFlags(options) });
      let wire = new WireClient(server.endpoint);
      return {
        client: new ServerClient(wire),
        pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        restart: async () => {
          wire.close();
          await server.stop();
          await server.start();
          wire = new WireClient(server.endpoint);
          return new ServerClient(wire);
        },
        stop: async () => {
          wire.close();
          await server.stop("SIGKILL");
        },
      };
    },
  };
}
