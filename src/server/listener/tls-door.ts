/** The handshake before everything else on a secure port. */
import type { Socket } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";

/** What a secure port asks of its configuration, anew for every connection: files change. */
export interface TlsSide {
  /** Clients without a certificate that is vouched for are turned away. */
  readonly wantsCertificate: boolean;
  /** The same object while nothing has changed. */
  options(): SecureContextOptions;
  /** Why a client whose certificate was vouched for is turned away nevertheless; undefined: it is not. */
  objection(socket: TLSSocket): string | undefined;
}

export interface TlsDoorOptions {
  readonly tls: TlsSide;
  /** From the first byte to the end of the handshake. */
  readonly handshakeTimeoutMs: number;
  /** Who got through. */
  readonly onSecure: (socket: TLSSocket) => void;
  /** Who did not, and why, in Go's words where there are any. */
  readonly onRefused: (remoteAddress: string, serverName: string, why: string) => void;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNRESET: "EOF",
  ERR_SSL_HTTP_REQUEST: "tls: first record does not look like a TLS handshake",
  ERR_SSL_HTTPS_PROXY_REQUEST: "tls: first record does not look like a TLS handshake",
  ERR_SSL_WRONG_VERSION_NUMBER: "tls: first record does not look like a TLS handshake",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "tls: client didn't provide a certificate",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls: client offered only unsupported versions",
  ERR_SSL_NO_SHARED_CIPHER: "tls: no cipher suite supported by both client and server",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "tls: client requested unsupported application protocols",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "remote error: tls: unknown certificate authority",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "remote error: tls: bad certificate",
  ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: "remote error: tls: error decrypting message",
  ERR_TLS_HANDSHAKE_TIMEOUT: "i/o timeout",
};

export class TlsDoor {
  readonly #options: TlsDoorOptions;
  readonly #server: Server;
  #context: SecureContextOptions;
  /** Whose handshake is under way, by who they are. */
  readonly #pending = new Set<string>();

  constructor(options: TlsDoorOptions) {
    const { tls, handshakeTimeoutMs } = options;
    this.#options = options;
    this.#context = tls.options();
    this.#server = createServer({
      ...this.#context,
      requestCert: tls.wantsCertificate,
      rejectUnauthorized: tls.wantsCertificate,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: handshakeTimeoutMs,
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      this.#refuse(socket, WORDS[error.code ?? ""] ?? error.message);
    });
  }

  /** @param socket  as it was accepted */
  enter(socket: Socket): void {
    const context = this.#options.tls.options();
    if (context !== this.#context) {
      this.#context = context;
      this.#server.setSecureContext(context);
    }
    const peer = peerOf(socket);
    if (peer !== "") {
      this.#pending.add(peer);
      // Who shows a certificate that nobody vouches for is dropped without an event: this is how it is noticed.
      socket.once("close", () => {
        if (!this.#pending.delete(peer)) return;
        this.#options.onRefused(peer, "", "tls: failed to verify certificate");
      });
    }
    this.#server.emit("connection", socket);
  }

  #secured(socket: TLSSocket): void {
    this.#pending.delete(peerOf(socket));
    const why = this.#options.tls.objection(socket);
    if (why === undefined) this.#options.onSecure(socket);
    else this.#refuse(socket, why);
  }

  #refuse(socket: TLSSocket, why: string): void {
    const peer = peerOf(socket);
    this.#pending.delete(peer);
    const { servername } = socket as { readonly servername?: unknown };
    socket.destroy();
    this.#options.onRefused(peer, typeof servername === "string" ? servername : "", why);
  }
}

/** `address:port`; empty: a unix socket, or one that is gone. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined) return "";
  return remoteAddress.includes(":")
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`;
}
