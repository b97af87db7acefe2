/**
 * grpc.health.v1.Health: HealthCheckRequest is {1 service}, HealthCheckResponse {1 status}, HealthListResponse
 * {1 map from service to HealthCheckResponse}.
 *
 * @see grpc doc/health-checking.md
 */
import { utf8 } from "../base/bytes.ts";
import { FieldReader, FieldWriter } from "../proto/protobuf.ts";
import type { Service, StreamCall } from "./service.ts";
import { Code, GrpcError, malformedMessage } from "./status.ts";

export const Health = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

export type Health = (typeof Health)[keyof typeof Health];

interface Watcher {
  readonly call: StreamCall;
  readonly service: string;
  last: Health | undefined;
}

/** Who is well. At first the server as a whole, which is called "", and nobody else is known. */
export class HealthBook {
  readonly service: Service = {
    name: "grpc.health.v1.Health",
    methods: {
      Check: {
        kind: "unary",
        handle: (call, bytes, start, end) => {
          const status = this.#statuses.get(serviceOf(bytes, start, end));
          if (status === undefined) call.fail(Code.notFound, "unknown service");
          else call.reply(response(status));
        },
      },
      List: {
        kind: "unary",
        handle: (call) => {
          const list = new FieldWriter();
          for (const [name, status] of this.#statuses) {
            const entry = new FieldWriter().message(1, utf8(name)).message(2, response(status));
            list.message(1, entry.bytes());
          }
          call.reply(list.bytes());
        },
      },
      Watch: {
        kind: "serverStream",
        handle: (call, bytes, start, end) => {
          const watcher = { call, service: serviceOf(bytes, start, end), last: undefined };
          this.#watchers.add(watcher);
          call.signal.addEventListener("abort", () => this.#watchers.delete(watcher));
          this.#tell(watcher);
        },
      },
    },
  };
  readonly #statuses = new Map<string, Health>([["", Health.serving]]);
  readonly #watchers = new Set<Watcher>();
  #final = false;

  /** Watchers are told at once. Nothing changes after `shutdown`. */
  set(service: string, status: Health): void {
    if (this.#final) return;
    this.#statuses.set(service, status);
    for (const watcher of this.#watchers) if (watcher.service === service) this.#tell(watcher);
  }

  /** Nobody is well any more. */
  shutdown(): void {
    for (const service of this.#statuses.keys()) this.set(service, Health.notServing);
    this.#final = true;
  }

  #tell(watcher: Watcher): void {
    const status = this.#statuses.get(watcher.service) ?? Health.serviceUnknown;
    if (status === watcher.last) return;
    watcher.last = status;
    watcher.call.send(response(status));
  }
}

function response(status: Health): Uint8Array {
  return new FieldWriter().number(1, status).bytes();
}

/** @throws GrpcError the bytes are no HealthCheckRequest */
function serviceOf(bytes: Uint8Array, start: number, end: number): string {
  const fields = new FieldReader().open(bytes, start, end);
  let service = "";
  while (fields.next()) if (fields.field === 1 && fields.is(2)) service = fields.text;
  if (fields.fault !== undefined)
    throw new GrpcError(Code.internal, malformedMessage(fields.fault));
  return service;
}
