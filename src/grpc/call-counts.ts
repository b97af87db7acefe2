/**
 * What the metrics know of calls: plain numbers, added to on every call, read when somebody asks for the metrics. A
 * call counts once its handler is begun; what is refused before that (unknown method, message too large) does not, as
 * with the interceptor by which etcd counts.
 */
import type { Service } from "./service.ts";
import { Code } from "./status.ts";

const CODES = Object.keys(Code).length;

/** The versions of clients that are told apart: they name them themselves, so the number is bounded. */
const CLIENT_VERSIONS_MAX = 100;

export class MethodCounts {
  readonly service: string;
  readonly method: string;
  /** The words of `grpc_type`. */
  readonly type: "unary" | "server_stream" | "bidi_stream";
  started = 0;
  messagesReceived = 0;
  messagesSent = 0;
  /** By code, 0 to 16. */
  readonly handled: number[] = new Array<number>(CODES).fill(0);

  constructor(service: string, method: string, type: MethodCounts["type"]) {
    this.service = service;
    this.method = method;
    this.type = type;
  }
}

/** Calls of one kind by clients of one version, as they say of themselves in `client-api-version`. */
export class ClientCounts {
  readonly type: "unary" | "stream";
  /** `unknown` for those who do not say. */
  readonly clientApiVersion: string;
  requests = 0;

  constructor(type: ClientCounts["type"], clientApiVersion: string) {
    this.type = type;
    this.clientApiVersion = clientApiVersion;
  }
}

export class CallCounts {
  /** One for every method of every service, from the start. */
  readonly methods: readonly MethodCounts[];
  /** Of messages, without framing and headers. */
  receivedBytes = 0;
  sentBytes = 0;
  readonly #clients = new Map<string, ClientCounts>();

  constructor(services: readonly Service[]) {
    this.methods = services.flatMap(({ name, methods }) =>
      Object.entries(methods).map(
        ([method, { kind }]) =>
          new MethodCounts(
            name,
            method,
            kind === "unary" ? "unary" : kind === "serverStream" ? "server_stream" : "bidi_stream",
          ),
      ),
    );
  }

  /** In the order in which they were first seen. */
  get clients(): readonly ClientCounts[] {
    return [...this.#clients.values()];
  }

  clientsOf(type: ClientCounts["type"], clientApiVersion: string): ClientCounts {
    const key = `${type} ${clientApiVersion}`;
    let counts = this.#clients.get(key);
    if (counts === undefined) {
      if (this.#clients.size >= CLIENT_VERSIONS_MAX && clientApiVersion !== "other") {
        return this.clientsOf(type, "other");
      }
      counts = new ClientCounts(type, clientApiVersion);
      this.#clients.set(key, counts);
    }
    return counts;
  }
}
