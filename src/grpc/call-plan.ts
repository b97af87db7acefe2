/**
 * What the head of a request comes to: which method, by when, or which refusal. Found out once for each head, and kept
 * in its `memo`.
 *
 * @see grpc doc/PROTOCOL-HTTP2.md, and grpc-go's server for the words of the refusals
 */
import { quoted } from "../base/quote.ts";
import type { HeaderList, RequestHead } from "../http2/exchange.ts";
import type { CallCounts, ClientCounts, MethodCounts } from "./call-counts.ts";
import { metadataFault } from "./metadata.ts";
import type { Method, Service } from "./service.ts";
import { Code } from "./status.ts";
import { parseTimeout } from "./timeout.ts";
import { CONTENT_TYPE, onlyTrailers } from "./trailers.ts";

export class CallPlan {
  /** Undefined: `refusal` is the whole response, or the request is none of gRPC's. */
  readonly method: Method | undefined;
  readonly counts: MethodCounts | undefined;
  readonly clients: ClientCounts | undefined;
  readonly timeoutMs: number | undefined;
  readonly contentType: string;
  /** Of a response that has messages. */
  readonly responseHead: HeaderList;
  readonly refusal: HeaderList | undefined;
  /** Whether the content-type is gRPC's. */
  readonly isGrpc: boolean;

  constructor(found: {
    readonly contentType: string;
    readonly isGrpc?: boolean;
    readonly refusal?: HeaderList;
    readonly route?: Route;
    readonly clients?: ClientCounts;
    readonly timeoutMs?: number | undefined;
  }) {
    this.method = found.route?.method;
    this.counts = found.route?.counts;
    this.clients = found.clients;
    this.timeoutMs = found.timeoutMs;
    this.contentType = found.contentType;
    this.responseHead = responseHeadOf(found.contentType);
    this.refusal = found.refusal;
    this.isGrpc = found.isGrpc ?? true;
  }

  countClient(): void {
    if (this.clients !== undefined) this.clients.requests++;
  }
}

interface Route {
  readonly method: Method;
  readonly counts: MethodCounts;
}

/** Finds the method that a head asks for. */
export class CallPlanner {
  readonly #routes = new Map<string, Route>();
  readonly #services: ReadonlySet<string>;
  readonly #counts: CallCounts;

  /** @param counts  of these very services */
  constructor(services: readonly Service[], counts: CallCounts) {
    this.#services = new Set(services.map(({ name }) => name));
    this.#counts = counts;
    let next = 0;
    for (const { name, methods } of services) {
      for (const [method, one] of Object.entries(methods)) {
        const its = counts.methods[next++];
        if (its !== undefined) this.#routes.set(`/${name}/${method}`, { method: one, counts: its });
      }
    }
  }

  planOf(head: RequestHead): CallPlan {
    let contentType: string | undefined;
    let encoding = "identity";
    let timeoutMs: number | undefined;
    let fault: string | undefined;
    let clientVersion = "unknown";
    for (const [name, value] of head.fields) {
      if (name === "content-type") contentType ??= value;
      else if (name === "grpc-timeout") {
        const timeout = parseTimeout(value);
        if (typeof timeout === "number") timeoutMs = timeout;
        else fault = `malformed grpc-timeout: ${timeout}`;
      } else if (name === "grpc-encoding") encoding = value === "" ? encoding : value;
      else if (name === "client-api-version") clientVersion = text(value);
      else if (name.endsWith("-bin")) fault ??= metadataFault(name, value);
    }
    const answer = answerType(contentType);
    if (answer === undefined) {
      const why = `invalid gRPC request content-type ${shown(contentType ?? "")}`;
      return refused(CONTENT_TYPE, 415, Code.invalidArgument, why, false);
    }
    if (fault !== undefined) return refused(answer, 400, Code.internal, fault);
    if (head.method !== "POST") {
      const why = `Received a HEADERS frame with :method ${shown(head.method)} which should be POST`;
      return refused(answer, 405, Code.internal, why);
    }
    if (timeoutMs === 0) {
      return refused(answer, 200, Code.deadlineExceeded, "context deadline exceeded");
    }
    const route = this.#routes.get(head.path);
    if (route === undefined) {
      return refused(answer, 200, Code.unimplemented, this.#unknown(head.path));
    }
    if (encoding !== "identity") {
      const why = `grpc: Decompressor is not installed for grpc-encoding ${shown(encoding)}`;
      return refused(answer, 200, Code.unimplemented, why);
    }
    const type = route.method.kind === "unary" ? "unary" : "stream";
    return new CallPlan({
      contentType: answer,
      route,
      timeoutMs,
      clients: this.#counts.clientsOf(type, clientVersion),
    });
  }

  #unknown(path: string): string {
    const slash = path.lastIndexOf("/");
    if (!path.startsWith("/") || slash === 0) return `malformed method name: ${shown(path)}`;
    const service = path.slice(1, slash);
    if (!this.#services.has(service)) return `unknown service ${text(service)}`;
    return `unknown method ${text(path.slice(slash + 1))} for service ${service}`;
  }
}

function refused(
  contentType: string,
  httpStatus: number,
  code: number,
  message: string,
  isGrpc = true,
): CallPlan {
  return new CallPlan({
    contentType,
    isGrpc,
    refusal: onlyTrailers(httpStatus, contentType, code, message),
  });
}

const RESPONSE_HEAD: HeaderList = [
  [":status", "200"],
  ["content-type", CONTENT_TYPE],
];
const PROTO = `${CONTENT_TYPE}+proto`;
const PROTO_RESPONSE_HEAD: HeaderList = [
  [":status", "200"],
  ["content-type", PROTO],
];

function responseHeadOf(contentType: string): HeaderList {
  if (contentType === CONTENT_TYPE) return RESPONSE_HEAD;
  if (contentType === PROTO) return PROTO_RESPONSE_HEAD;
  return [
    [":status", "200"],
    ["content-type", contentType],
  ];
}

/** The content type of the response to a request with this one, which is like it; undefined if that is not gRPC's. */
function answerType(contentType: string | undefined): string | undefined {
  if (contentType === CONTENT_TYPE || contentType === PROTO) return contentType;
  if (contentType?.startsWith(CONTENT_TYPE) !== true) return undefined;
  const next = contentType.charAt(CONTENT_TYPE.length);
  if (next === ";") return CONTENT_TYPE;
  return next === "+" ? contentType : undefined;
}

/** A header's value, which is one character a byte. */
function text(value: string): string {
  return Buffer.from(value, "latin1").toString("utf8");
}

function shown(value: string): string {
  return quoted(Buffer.from(value, "latin1"));
}
