/** Where a server is, as users write it. @see etcd client/v3/internal/endpoint/endpoint.go */

export interface Endpoint {
  /** Whether TLS is spoken. */
  readonly secure: boolean;
  /** What requests say they are for: `host:port`. */
  readonly authority: string;
  readonly address:
    | { readonly host: string; readonly port: number }
    /** Of a unix socket. */
    | { readonly path: string };
}

const PORT_MAX = 65_535;

/**
 * @param text  `host:port`, `:port`, `[::1]:port`, `http://…`, `https://…`, `unix://path`, `unixs://path`; whatever
 *   comes after the port is of no interest
 * @param tls  whether to speak it where the scheme leaves that open
 * @throws Error that says what is wrong, in Go's words where it has some
 */
export function parseEndpoint(text: string, tls: boolean): Endpoint {
  const [, scheme, rest = ""] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*)$/s.exec(text) ?? [];
  switch (scheme?.toLowerCase()) {
    case undefined:
      return tcpEndpoint(rest, tls);
    case "http":
      return tcpEndpoint(rest, false);
    case "https":
      return tcpEndpoint(rest, true);
    case "unix":
      return { secure: false, authority: "localhost", address: { path: rest } };
    case "unixs":
      return { secure: true, authority: "localhost", address: { path: rest } };
    default:
      throw new Error(`unknown scheme ${JSON.stringify(scheme)} in endpoint ${text}`);
  }
}

function tcpEndpoint(rest: string, secure: boolean): Endpoint {
  const [place = ""] = rest.split(/[/?#]/, 1);
  const found = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(place);
  if (found === null) {
    const what = place.includes(":") ? "too many colons in address" : "missing port in address";
    throw new Error(`address ${place}: ${what}`);
  }
  const host = found[1] ?? found[2] ?? "";
  const port = Number(found[3]);
  if (!/^\d+$/.test(found[3] ?? "") || port > PORT_MAX) {
    throw new Error(`address ${place}: invalid port ${JSON.stringify(found[3])}`);
  }
  if (host === "")
    return { secure, authority: `localhost:${port}`, address: { host: "localhost", port } };
  return { secure, authority: place, address: { host, port } };
}
