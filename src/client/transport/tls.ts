/** TLS as the options say, and sockets with and without it. */
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectSecure, createSecureContext, type SecureContext } from "node:tls";
import { reasonOf, StrataError } from "../../base/errors.ts";
import type { Endpoint } from "./endpoint.ts";
import type { TlsOptions } from "./transport-options.ts";

/** Go's: after such a silence the system asks whether the other side is there, calls under way or not. */
const PROBE_MS = 15_000;

export class Tls {
  readonly #options: TlsOptions;
  readonly #context: SecureContext;

  /** @throws StrataError BAD_ARGUMENT for what is no certificate or key, or if they do not fit */
  constructor(options: TlsOptions) {
    this.#options = options;
    const { ca, cert, key } = options;
    try {
      this.#context = createSecureContext({
        ...(ca !== undefined && { ca: Buffer.from(ca) }),
        ...(cert !== undefined && { cert: Buffer.from(cert) }),
        ...(key !== undefined && { key: Buffer.from(key) }),
      });
    } catch (error) {
      throw new StrataError("BAD_ARGUMENT", `tls: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** On its way; `secureConnect` tells that it is there. */
  connect({ address }: Endpoint): Socket {
    const { insecureSkipVerify = false, serverName } = this.#options;
    const name = serverName ?? ("host" in address ? address.host : "localhost");
    return connectSecure({
      ...address,
      host: "host" in address ? address.host : name,
      // An address is looked for in the certificate, but is no name to ask a server for.
      servername: isIP(name) === 0 ? name : "",
      secureContext: this.#context,
      ALPNProtocols: ["h2"],
      rejectUnauthorized: !insecureSkipVerify,
    })
      .setNoDelay(true)
      .setKeepAlive(true, PROBE_MS);
  }
}

/** On its way; `connect` tells that it is there. */
export function plainSocket({ address }: Endpoint): Socket {
  return connectPlain({
    ...address,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: PROBE_MS,
  });
}
