/**
 * Who may ask from where: the Host header of plain HTTP, against DNS rebinding, and the pages that a browser may show
 * answers to.
 *
 * @see etcd server/embed/serve.go accessController
 */

import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { type Answer, errorAnswer } from "./respond.ts";

export interface AccessOptions {
  /** As --cors: origins, or `*`; empty: all. */
  readonly cors: readonly string[];
  /** As --host-whitelist: names without port, or `*`; empty: all. */
  readonly hostWhitelist: readonly string[];
}

export class Access {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;

  constructor({ cors, hostWhitelist }: AccessOptions) {
    this.#origins = new Set(cors);
    this.#hosts = new Set(hostWhitelist);
  }

  /** What a request under a name that is not known is answered with; undefined: go on. */
  refusal(request: IncomingMessage): Answer | undefined {
    const hosts = this.#hosts;
    if (hosts.size === 0 || hosts.has("*") || request.socket instanceof TLSSocket) return undefined;
    const host = nameOf(request.headers.host ?? "");
    return hosts.has(host) ? undefined : errorAnswer(421, unknownHost(host));
  }

  /** The headers by which a browser lets a page see the answer. */
  corsHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
    const origins = this.#origins;
    const { origin = "" } = request.headers;
    const allowed =
      origins.size === 0 || origins.has("*") ? "*" : origins.has(origin) ? origin : undefined;
    if (allowed === undefined) return {};
    return {
      "Access-Control-Allow-Headers": "accept, content-type, authorization",
      "Access-Control-Allow-Methods": "POST, GET, OPTIONS, PUT, DELETE",
      "Access-Control-Allow-Origin": allowed,
    };
  }
}

/** Without the port, if there is one that Go would see. */
function nameOf(host: string): string {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):[^:[\]]*$/.exec(host);
  return match === null ? host : (match[1] ?? match[2] ?? "");
}

/** Tools look for the first line. */
function unknownHost(host: string): string {
  return `
etcd received your request, but the Host header was unrecognized.

To fix this, choose one of the following options:
- Enable TLS, then any HTTPS request will be allowed.
- Add the hostname you want to use to the whitelist in settings.
  - e.g. etcd --host-whitelist ${JSON.stringify(host)}

This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).
`;
}
