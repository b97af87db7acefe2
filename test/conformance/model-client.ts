/** The model as a client: whatever the suites ask of the others, it has to say as well. */
import { EtcdModel } from "../support/etcd-model.ts";
import type {
  ClientWatch,
  EtcdClient,
  Status,
  Subject,
  WatchAnswer,
  WatchRequest,
} from "./client.ts";

const MEMBER_ID = 1n;

export class ModelClient implements EtcdClient {
  readonly model: EtcdModel;

  constructor(model: EtcdModel) {
    this.model = model;
  }

  range: EtcdClient["range"] = async (request) => this.model.range(request);
  put: EtcdClient["put"] = async (request) => this.model.put(request);
  delete: EtcdClient["delete"] = async (request) => this.model.delete(request);
  txn: EtcdClient["txn"] = async (request) => this.model.txn(request);
  compact: EtcdClient["compact"] = async (revision) => this.model.compact(revision);
  leaseGrant: EtcdClient["leaseGrant"] = async (ttl, id) => this.model.leaseGrant(ttl, id);
  leaseRevoke: EtcdClient["leaseRevoke"] = async (id) => this.model.leaseRevoke(id);
  leaseKeepAlive: EtcdClient["leaseKeepAlive"] = async (id) => this.model.leaseKeepAlive(id);
  leases: EtcdClient["leases"] = async () => this.model.leases();
  alarms: EtcdClient["alarms"] = async (alarm) => this.model.alarms(alarm);

  leaseTimeToLive: EtcdClient["leaseTimeToLive"] = async (id, keys = false) =>
    this.model.leaseTimeToLive(id, keys);

  alarm: EtcdClient["alarm"] = async (action, memberId, alarm) =>
    this.model.alarm(action, memberId, alarm);

  async watch(request: WatchRequest): Promise<ClientWatch> {
    return new ModelWatch(this.model, request);
  }

  async status(): Promise<Status> {
    return {
      revision: this.model.revision,
      memberId: MEMBER_ID,
      leader: MEMBER_ID,
      dbSize: 4096,
      dbSizeInUse: 4096,
      raftIndex: this.model.revision,
      raftTerm: 2,
    };
  }

  async close(): Promise<void> {}
}

class ModelWatch implements ClientWatch {
  readonly #model: EtcdModel;
  readonly #request: WatchRequest;
  #next: number;
  #over = false;

  constructor(model: EtcdModel, request: WatchRequest) {
    this.#model = model;
    this.#request = request;
    const { startRevision = 0 } = request;
    this.#next = startRevision === 0 ? model.revision + 1 : startRevision;
  }

  async next(): Promise<WatchAnswer | undefined> {
    if (this.#over) return undefined;
    const { key, rangeEnd = "", startRevision = 0 } = this.#request;
    if (rangeEnd !== "" && rangeEnd !== "\0" && rangeEnd <= key) {
      return this.#end({ kind: "refused", reason: "mvcc: watcher range is empty" });
    }
    const { revision, compacted } = this.#model;
    if (startRevision < 0) {
      const reason = "etcdserver: mvcc: required revision has been compacted";
      return this.#end({ kind: "refused", reason });
    }
    if (this.#next < compacted) return this.#end({ kind: "compacted", compactRevision: compacted });
    while (this.#next <= revision) {
      const events = this.#model.eventsOf(this.#next++, this.#request);
      if (events.length > 0) return { kind: "events", revision, events };
    }
    return undefined;
  }

  async cancel(): Promise<void> {
    this.#over = true;
  }

  #end(answer: WatchAnswer): WatchAnswer {
    this.#over = true;
    return answer;
  }
}

export const modelSubject: Subject = {
  name: "the model",
  rules: "newest",
  quietMs: 0,
  async start(options = {}) {
    const { maxTxnOps } = options;
    const model = new EtcdModel(maxTxnOps === undefined ? {} : { maxTxnOps });
    return {
      client: new ModelClient(model),
      pass: async (ms) => {
        model.nowMs += ms;
        model.expire();
      },
      restart: undefined,
      stop: async () => undefined,
    };
  },
};
