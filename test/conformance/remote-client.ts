/**
 * The client library as a client, over the very calls that the store in a process has. Where they cannot say what a
 * request over the wire could (an enum that nobody knows, an empty key with an end), a plain one is sent.
 */

import { latin1 } from "../../src/base/bytes.ts";
import { Client, EtcdError, RpcError, StrataError } from "../../src/client.ts";
import { type ServerKind, ServerProcess } from "../support/server-process.ts";
import { WireClient } from "../support/wire-client.ts";
import {
  Alarm,
  type AlarmMember,
  type ClientWatch,
  type DeleteAnswer,
  type DeleteRequest,
  type EtcdClient,
  type LeaseAnswer,
  type LeaseTtl,
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
  type WatchRequest,
} from "./client.ts";
import {
  bytes,
  keysOf,
  kvOf,
  LibraryWatch,
  opAnswer,
  RefusedWatch,
  rangeOptions,
  txnMessage,
} from "./library-client.ts";
import { ServerClient, serverFlags } from "./server-client.ts";

export class RemoteClient implements EtcdClient {
  readonly #client: Client;
  readonly #plain: ServerClient;

  constructor(client: Client, plain: ServerClient) {
    this.#client = client;
    this.#plain = plain;
  }

  async range(request: RangeRequest): Promise<RangeAnswer> {
    const { serializable, countOnly } = request;
    const options = rangeOptions(request);
    if (request.key === "" || options === undefined || countOnly) return this.#plain.range(request);
    const all = { ...options, serializable };
    const answer = await refusing(this.#client.rangeAll(keysOf(request), all));
    const { revision, kvs, more, count } = answer;
    if (!more && options.order !== "descend" && (options.limit ?? 0) <= 0) {
      const paged: unknown[] = [];
      for await (const kv of this.#client.range(keysOf(request), {
        ...all,
        revision: request.revision || revision,
      })) {
        paged.push(kvOf(kv));
      }
      if (JSON.stringify(paged, text) !== JSON.stringify(kvs.map(kvOf), text)) {
        throw new Error("what comes in pages is not what comes at once");
      }
    }
    return { revision: Number(revision), kvs: kvs.map(kvOf), more, count };
  }

  async put(request: PutRequest): Promise<PutAnswer> {
    const { key, value = "", ...options } = request;
    const answer = await refusing(this.#client.put(bytes(key), bytes(value), options));
    const { revision, prevKv } = answer;
    return { revision: Number(revision), prevKv: prevKv && kvOf(prevKv) };
  }

  async delete(request: DeleteRequest): Promise<DeleteAnswer> {
    if (request.key === "") return this.#plain.delete(request);
    const { prevKv } = request;
    const answer = await refusing(this.#client.delete(keysOf(request), { prevKv }));
    const { revision, deleted, prevKvs } = answer;
    return { revision: Number(revision), deleted, prevKvs: prevKvs.map(kvOf) };
  }

  async txn(request: TxnRequest): Promise<TxnAnswer> {
    const { compare, success, failure } = txnMessage(request);
    const answer = await refusing(this.#client.txn({ compare, success, failure }));
    const { revision, succeeded, responses } = answer;
    return { revision: Number(revision), succeeded, responses: responses.map(opAnswer) };
  }

  async compact(revision: number, physical = false): Promise<void> {
    await refusing(this.#client.compact(revision, { physical }));
  }

  async watch(request: WatchRequest): Promise<ClientWatch> {
    const { startRevision, noPut, noDelete, prevKv, progressNotify } = request;
    const options = { startRevision, noPut, noDelete, prevKv, progressNotify };
    // What a server makes of an empty key.
    const keys = keysOf({ ...request, key: request.key === "" ? "\0" : request.key });
    try {
      const watch = this.#client.watch(keys, options);
      await watch.created;
      return new LibraryWatch(watch);
    } catch (error) {
      if (!(error instanceof StrataError) || error.code !== "BAD_ARGUMENT") throw error;
      return new RefusedWatch(error.message);
    }
  }

  async leaseGrant(ttl: number, id = 0n): Promise<LeaseAnswer> {
    return refusing(this.#client.lease.grant(ttl, { id }));
  }

  async leaseRevoke(id: bigint): Promise<void> {
    await refusing(this.#client.lease.revoke(id));
  }

  async leaseKeepAlive(id: bigint): Promise<number> {
    try {
      return await this.#client.lease.keepAlive(id);
    } catch (error) {
      if (error instanceof EtcdError && error.code === "LEASE_NOT_FOUND") return 0;
      throw error;
    }
  }

  async leaseTimeToLive(id: bigint, keys = false): Promise<LeaseTtl> {
    const found = await this.#client.lease.timeToLive(id, { keys });
    if (found === undefined) return { ttl: -1, grantedTtl: 0, keys: [] };
    const { ttl, grantedTtl } = found;
    return { ttl, grantedTtl, keys: found.keys.map((key) => latin1(key)).sort() };
  }

  async leases(): Promise<readonly bigint[]> {
    return this.#client.lease.list();
  }

  async alarms(alarm: number = Alarm.none): Promise<readonly AlarmMember[]> {
    if (alarm === Alarm.none) return refusing(this.#client.alarms.list());
    return this.#plain.alarms(alarm);
  }

  async alarm(
    action: "activate" | "deactivate",
    memberId: bigint,
    alarm: number,
  ): Promise<readonly AlarmMember[]> {
    if (action === "activate" && alarm === Alarm.noSpace) {
      return refusing(this.#client.alarms.activate("noSpace", { memberId }));
    }
    return this.#plain.alarm(action, memberId, alarm);
  }

  async status(): Promise<Status> {
    const status = await refusing(this.#client.status());
    const { revision, memberId, leader, sizeBytes, inUseBytes, raftIndex, raftTerm } = status;
    const [dbSize, dbSizeInUse] = [sizeBytes, inUseBytes];
    return {
      revision: Number(revision),
      memberId,
      leader,
      dbSize,
      dbSizeInUse,
      raftIndex,
      raftTerm,
    };
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

function text(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** What the server says as an error is a refusal here. */
async function refusing<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof EtcdError) throw new Refusal(error.grpcStatus, error.message);
    if (error instanceof RpcError) throw new Refusal(error.grpcStatus, error.details);
    throw error;
  }
}

/** One client through all lives of the server. */
export function remoteSubject(kind: ServerKind): Subject {
  return {
    name: `${kind} by the client library`,
    rules: kind === "etcd" ? "3.4" : "newest",
    measures: true,
    quietMs: 150,
    async start(options: SubjectOptions = {}): Promise<Running> {
      const server = await ServerProcess.start({ kind, flags: serverFlags(options) });
      const client = new Client({ endpoints: server.endpoint });
      let wire = new WireClient(server.endpoint);
      return {
        client: new RemoteClient(client, new ServerClient(wire)),
        pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        restart: async () => {
          wire.close();
          await server.stop();
          await server.start();
          wire = new WireClient(server.endpoint);
          return new RemoteClient(client, new ServerClient(wire));
        },
        stop: async () => {
          await client.close();
          wire.close();
          await server.stop("SIGKILL");
        },
      };
    },
  };
}
