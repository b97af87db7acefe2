/**
 * What the server answers to HTTP/1.1: versions, health, metrics. On the client port it stands beside gRPC; where
 * --listen-metrics-urls says, it is health and metrics alone.
 *
 * @see etcd server/etcdserver/api/etcdhttp, server/embed/serve.go
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { reasonOf } from "../../base/errors.ts";
import { ETCD_VERSION } from "../../base/version.ts";
import type { EngineLog } from "../../engine/log.ts";
import type { Member } from "../../engine/member.ts";
import type { ServerMetrics } from "../metrics/server-metric-set.ts";
import { Access, type AccessOptions } from "./access.ts";
import { cleanPath } from "./clean-path.ts";
import { debugVars } from "./debug-vars.ts";
import { type Check, healthOf, LIVEZ, READYZ } from "./health.ts";
import type { HttpCounts } from "./http-counts.ts";
import { type Answer, errorAnswer, GET_ONLY, JSON_TYPE, NOT_FOUND, send, TEXT } from "./respond.ts";
import { SharedWork } from "./shared-work.ts";

export interface HttpHandlerOptions {
  readonly member: Member;
  readonly metrics: ServerMetrics;
  readonly counts: HttpCounts;
  readonly log: EngineLog;
  readonly access: AccessOptions;
}

/** As `http.createServer` wants it. Never throws, and answers every request once. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

interface Asked {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly acceptsGzip: boolean;
}

type Route = (asked: Asked) => Answer | Promise<Answer>;

const gzipped = promisify(gzip);

export class HttpEndpoints {
  readonly #options: HttpHandlerOptions;
  readonly #access: Access;
  readonly #scrapes: SharedWork<string>;
  readonly #monitoring: ReadonlyMap<string, Route>;
  readonly #all: ReadonlyMap<string, Route>;

  constructor(options: HttpHandlerOptions) {
    this.#options = options;
    this.#access = new Access(options.access);
    this.#scrapes = new SharedWork(() => options.metrics.text());
    this.#monitoring = new Map<string, Route>([
      ["/health", (asked) => this.#health(asked)],
      ["/metrics", (asked) => this.#metrics(asked)],
      ...this.#checkRoutes("livez", LIVEZ),
      ...this.#checkRoutes("readyz", READYZ),
    ]);
    this.#all = new Map<string, Route>([
      ...this.#monitoring,
      ["/version", (asked) => this.#version(asked)],
      ["/debug/vars", ({ method }) => (method === "GET" ? this.#vars() : GET_ONLY)],
    ]);
  }

  /** For client URLs: everything. */
  readonly client: HttpHandler = (request, response) => {
    const refusal = this.#access.refusal(request);
    if (refusal !== undefined) return send(request, response, refusal);
    const headers = this.#access.corsHeaders(request);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (request.method === "OPTIONS") {
      return send(request, response, { status: 200, type: "", body: "" });
    }
    this.#serve(this.#all, request, response);
  };

  /** For --listen-metrics-urls. */
  readonly monitoring: HttpHandler = (request, response) => {
    this.#serve(this.#monitoring, request, response);
  };

  #serve(
    routes: ReadonlyMap<string, Route>,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    this.#answer(routes, request)
      .then((answer) => send(request, response, answer))
      .catch((error: unknown) => {
        const { log } = this.#options;
        const fields = { path: request.url ?? "", error: reasonOf(error) };
        log({ level: "error", message: "an HTTP request failed", fields });
        send(request, response, errorAnswer(500, "Internal Server Error"));
      });
  }

  async #answer(routes: ReadonlyMap<string, Route>, request: IncomingMessage): Promise<Answer> {
    const { url = "/", method = "GET" } = request;
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    const search = mark < 0 ? "" : url.slice(mark);
    const clean = cleanPath(path);
    if (clean !== path && path.startsWith("/")) return moved(escaped(clean + search), method);
    const route = routes.get(path);
    if (route === undefined) return NOT_FOUND;
    const acceptsGzip = /(^|[\s,])gzip\s*($|[,;])/.test(String(request.headers["accept-encoding"]));
    return route({ method, query: new URLSearchParams(search), acceptsGzip });
  }

  #version({ method }: Asked): Answer {
    if (method !== "GET") return GET_ONLY;
    const etcdcluster = this.#options.member.cluster.version ?? "not_decided";
    const body = JSON.stringify({ etcdserver: ETCD_VERSION, etcdcluster });
    return { status: 200, type: JSON_TYPE, body };
  }

  #health({ method, query }: Asked): Answer {
    const { member, counts, log } = this.#options;
    if (method !== "GET") return GET_ONLY;
    const excluded = new Set(query.getAll("exclude"));
    const serializable = query.get("serializable") === "true";
    const { healthy, reason } = healthOf(member, excluded, serializable);
    const body = JSON.stringify({ health: String(healthy), reason });
    if (healthy) {
      counts.healthy++;
      return { status: 200, type: TEXT, body };
    }
    counts.unhealthy++;
    log({ level: "warn", message: "/health error", fields: { output: body, "status-code": 503 } });
    return errorAnswer(503, body);
  }

  #checkRoutes(type: string, checks: readonly Check[]): [string, Route][] {
    const all: [string, Route] = [
      `/${type}`,
      (asked) => {
        const excluded = new Set(asked.query.getAll("exclude"));
        return this.#check(
          type,
          checks.filter(([name]) => !excluded.has(name)),
          asked,
        );
      },
    ];
    const single = checks.map((check): [string, Route] => [
      `/${type}/${check[0]}`,
      (asked) => this.#check(type, [check], asked),
    ]);
    return [all, ...single];
  }

  #check(type: string, checks: readonly Check[], { method, query }: Asked): Answer {
    const { member, counts, log } = this.#options;
    if (method !== "GET") return GET_ONLY;
    let isWell = true;
    let lines = "";
    for (const [name, run] of checks) {
      const reason = run(member);
      counts.checked(type, name, reason === undefined);
      lines += reason === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${reason}\n`;
      isWell &&= reason === undefined;
    }
    if (!isWell) {
      const fields = { path: `/${type}`, reason: lines, "status-code": 503 };
      log({ level: "error", message: "Health check error", fields });
      return errorAnswer(503, lines);
    }
    const body = query.has("verbose") ? `${lines}ok\n` : "ok\n";
    return { status: 200, type: TEXT, body, headers: { "X-Content-Type-Options": "nosniff" } };
  }

  async #metrics({ acceptsGzip }: Asked): Promise<Answer> {
    const { counts, metrics } = this.#options;
    counts.scrapesUnderWay++;
    let status = 500;
    try {
      const text = await this.#scrapes.run();
      const type = metrics.contentType;
      const answer: Answer = acceptsGzip
        ? { status: 200, type, body: await gzipped(text), headers: { "Content-Encoding": "gzip" } }
        : { status: 200, type, body: text };
      status = 200;
      return answer;
    } finally {
      counts.scrapesUnderWay--;
      counts.scraped(status);
    }
  }

  #vars(): Answer {
    const body = debugVars(this.#options.member);
    return { status: 200, type: `${JSON_TYPE}; charset=utf-8`, body };
  }
}

/** Everything that may not stand in a header. */
function escaped(url: string): string {
  return url.replace(/[^!-~]/g, (character) => encodeURIComponent(character));
}

function moved(location: string, method: string): Answer {
  const shown = location.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&#34;");
  const body =
    method === "GET" || method === "HEAD" ? `<a href="${shown}">Moved Permanently</a>.\n\n` : "";
  const type = body === "" ? "" : "text/html; charset=utf-8";
  return { status: 301, type, body, headers: { Location: location } };
}
