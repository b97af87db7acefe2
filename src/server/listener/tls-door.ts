/** The handshake before everything else on a secure port. */
import type { Socket } from "node:net";
import {
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from "node:tls";

/** What a secure port asks of its configuration. */
export interface TlsSide {
  readonly options: TlsOptions;
  /** From now on the server is told of other certificates. */
  follow(server: { setSecureContext(options: SecureContextOptions): void }): void;
  unfollow(server: { setSecureContext(options: SecureContextOptions): void }): void;
  /** Called at every connection: the certificates may have changed. */
  look(): void;
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

const CERTIFICATE_WORDS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "x509: certificate signed by unknown authority",
  SELF_SIGNED_CERT_IN_CHAIN: "x509: certificate signed by unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "x509: certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT: "x509: certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "x509: certificate signed by unknown authority",
  CERT_HAS_EXPIRED: "x509: certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "x509: certificate has expired or is not yet valid",
  INVALID_PURPOSE: "x509: certificate specifies an incompatible key usage",
};

export class TlsDoor {
  readonly #options: TlsDoorOptions;
  readonly #server: Server;
  /** Whose handshake is under way, by who they are. */
  readonly #pending = new Set<string>();
  /**
   * A socket that is closed does not know any more whose it was: who was closed last in the middle of it, or what else
   * was said of it, if that came first.
   */
  #lastGone = "";
  #lastWhy: { readonly serverName: string; readonly why: string } | undefined;

  constructor(options: TlsDoorOptions) {
    const { tls, handshakeTimeoutMs } = options;
    this.#options = options;
    this.#server = createServer({
      ...tls.options,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: handshakeTimeoutMs,
    });
    tls.follow(this.#server);
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      // Typed as an error, it is a code, and null while all is well.
      const code: unknown = socket.authorizationError;
      this.#refuse(socket, typeof code === "string" ? badCertificate(code) : whyOf(error));
    });
  }

  /** @param socket  as it was accepted */
  enter(socket: Socket): void {
    this.#options.tls.look();
    const peer = peerOf(socket);
    this.#pending.add(peer);
    socket.once("close", () => {
      if (this.#pending.delete(peer)) this.#gone(peer);
    });
    this.#server.emit("connection", socket);
  }

  close(): void {
    this.#options.tls.unfollow(this.#server);
  }

  #secured(socket: TLSSocket): void {
    this.#pending.delete(peerOf(socket));
    const why = this.#options.tls.objection(socket);
    if (why === undefined) this.#options.onSecure(socket);
    else this.#refuse(socket, why);
  }

  #refuse(socket: TLSSocket, why: string): void {
    const { servername, remoteAddress } = socket as TLSSocket & { readonly servername?: unknown };
    const serverName = typeof servername === "string" ? servername : "";
    const peer = remoteAddress === undefined ? this.#lastGone : peerOf(socket);
    socket.destroy();
    this.#lastGone = "";
    if (peer === "") this.#lastWhy = { serverName, why };
    else {
      this.#pending.delete(peer);
      this.#options.onRefused(peer, serverName, why);
    }
  }

  #gone(peer: string): void {
    if (this.#lastWhy === undefined) this.#lastGone = peer;
    else {
      const { serverName, why } = this.#lastWhy;
      this.#lastWhy = undefined;
      this.#options.onRefused(peer, serverName, why);
    }
  }
}

function whyOf({ code = "", message }: NodeJS.ErrnoException): string {
  return WORDS[code] ?? message;
}

function badCertificate(code: string): string {
  return `tls: failed to verify certificate: ${CERTIFICATE_WORDS[code] ?? code}`;
}

/** `address:port`; empty: a unix socket. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined) return "";
  return remoteAddress.includes(":")
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`;
}
