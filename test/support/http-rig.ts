/** The HTTP endpoints of a member in memory on a port of loopback, and a client that keeps everything it is told. */
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { EngineEvent } from "../../src/engine/log.ts";
import type { Member, MemberOptions } from "../../src/engine/member.ts";
import { CallCounts } from "../../src/grpc/call-counts.ts";
import type { Service } from "../../src/grpc/service.ts";
import type { AccessOptions } from "../../src/server/http/access.ts";
import { HttpCounts } from "../../src/server/http/http-counts.ts";
import { HttpEndpoints } from "../../src/server/http/http-handler.ts";
import { HandlingTimes } from "../../src/server/metrics/handling-times.ts";
import { ServerMetrics } from "../../src/server/metrics/server-metric-set.ts";
import { openMemoryMember } from "./memory-member.ts";

export interface HttpRigOptions {
  readonly access?: AccessOptions;
  readonly member?: Partial<MemberOptions>;
  readonly services?: readonly Service[];
  /** As --metrics=extensive. */
  readonly handlingTimes?: boolean;
}

export class HttpRig implements AsyncDisposable {
  readonly member: Member;
  readonly calls: CallCounts;
  readonly lines: EngineEvent[] = [];
  readonly endpoints: HttpEndpoints;
  readonly metrics: ServerMetrics;
  readonly #servers: Server[] = [];

  private constructor(member: Member, options: HttpRigOptions) {
    this.member = member;
    this.calls = new CallCounts(options.services ?? []);
    const counts = new HttpCounts();
    const handlingTimes = options.handlingTimes ? new HandlingTimes() : undefined;
    this.metrics = new ServerMetrics({ member, calls: this.calls, http: counts, handlingTimes });
    this.endpoints = new HttpEndpoints({
      member,
      metrics: this.metrics,
      counts,
      log: (line) => void this.lines.push(line),
      access: options.access ?? { cors: ["*"], hostWhitelist: ["*"] },
    });
  }

  static async open(options: HttpRigOptions = {}): Promise<HttpRig> {
    return new HttpRig(await openMemoryMember(options.member), options);
  }

  /** @returns its URL */
  async listen(kind: "client" | "monitoring"): Promise<string> {
    const server = createServer(this.endpoints[kind]);
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.metrics.close();
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await this.member.close();
  }
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends the path as it is, which `fetch` would not. */
export function ask(
  base: string,
  path: string,
  { method = "GET", headers = {} }: HttpAsk = {},
): Promise<HttpAnswer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, agent: false });
    request.on("error", reject).on("response", (response) => {
      const chunks: Buffer[] = [];
      response
        .on("data", (chunk: Buffer) => chunks.push(chunk))
        .on("error", reject)
        .on("end", () => {
          const found = Object.entries(response.headers).map(([name, value]) => [
            name,
            String(value),
          ]);
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(found) as Record<string, string>,
            body: Buffer.concat(chunks).toString("latin1"),
          });
        });
    });
    request.end();
  });
}
