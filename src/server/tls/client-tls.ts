/**
 * TLS for clients: the files that the flags name, read again when they change, as certificates that are renewed every
 * few weeks need. A file that cannot be read then leaves what there was in force, with a warning.
 *
 * @see etcd client/pkg/transport/listener.go, listener_tls.go
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  checkServerIdentity,
  createSecureContext,
  type DetailedPeerCertificate,
  type SecureContextOptions,
  type TLSSocket,
  type TlsOptions,
} from "node:tls";
import { fileStamp, readWholeFile } from "../../../native-free/file.ts";
import { systemErrorText } from "../../console/failure.ts";
import type { ClientTlsConfig } from "../config/server-config.ts";
import { ConfigError } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { cipherList } from "./cipher-suites.ts";
import { DerError } from "./der.ts";
import { revokedSerials, serialText } from "./revocation-list.ts";

/** A server of node:tls, as far as it is needed here. */
export interface RenewableServer {
  setSecureContext(options: SecureContextOptions): void;
}

interface Loaded {
  readonly options: SecureContextOptions;
  readonly revoked: ReadonlySet<string>;
}

const VERSIONS = { "TLS1.2": "TLSv1.2", "TLS1.3": "TLSv1.3" } as const;

/** How often the files are looked at, at most. */
const LOOK_MS = 1000;

export class ClientTls {
  /** Clients without a certificate that is vouched for are turned away. */
  readonly wantsCertificate: boolean;
  readonly #config: ClientTlsConfig;
  readonly #log: Logger;
  readonly #servers = new Set<RenewableServer>();
  #loaded: Loaded;
  #stamp: string;
  #nextLookMs = 0;

  /** @throws ConfigError if anything is wrong with a file */
  constructor(config: ClientTlsConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.wantsCertificate = config.trustedCaFile !== "" || config.clientCertAuth;
    this.#stamp = stampOf(config);
    this.#loaded = load(config);
  }

  /** What a server of node:tls is made with. */
  get options(): TlsOptions {
    return {
      ...this.#loaded.options,
      requestCert: this.wantsCertificate,
      rejectUnauthorized: this.wantsCertificate,
    };
  }

  /** From now on a server has what the files say; it calls `look` at every connection. */
  follow(server: RenewableServer): void {
    this.#servers.add(server);
  }

  unfollow(server: RenewableServer): void {
    this.#servers.delete(server);
  }

  /** Why a client whose certificate was vouched for is turned away nevertheless; undefined if it is not. */
  objection(socket: TLSSocket): string | undefined {
    if (!this.wantsCertificate) return undefined;
    const certificate = socket.getPeerCertificate(true);
    if (Object.keys(certificate).length === 0) return undefined;
    const serial = revokedOf(certificate, this.#loaded.revoked);
    if (serial !== undefined) return `transport: certificate serial ${serial} revoked`;
    const { allowedHostnames } = this.#config;
    if (allowedHostnames.length === 0) return undefined;
    const isAllowed = allowedHostnames.some(
      (host) => checkServerIdentity(host, certificate) === undefined,
    );
    return isAllowed ? undefined : "client certificate authentication failed";
  }

  /** Reads the files again if they have changed. */
  look(): void {
    const nowMs = performance.now();
    if (nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + LOOK_MS;
    const stamp = stampOf(this.#config);
    if (stamp === this.#stamp) return;
    try {
      this.#loaded = load(this.#config);
      for (const server of this.#servers) server.setSecureContext(this.#loaded.options);
      this.#log.info("reloaded TLS certificates", { "cert-file": this.#config.certFile });
      this.#stamp = stamp;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // Files are replaced one after the other: the next look may find them whole.
      this.#log.warn("failed to reload TLS certificates; the old ones stay", {
        "cert-file": this.#config.certFile,
        error: error.message,
      });
    }
  }
}

function stampOf({ certFile, keyFile, trustedCaFile, crlFile }: ClientTlsConfig): string {
  return [certFile, keyFile, trustedCaFile, crlFile]
    .map((path) => (path === "" ? "" : (fileStamp(path) ?? "gone")))
    .join(",");
}

function load(config: ClientTlsConfig): Loaded {
  const { certFile, keyFile, trustedCaFile, crlFile, cipherSuites, minVersion, maxVersion } =
    config;
  if (certFile === "" || keyFile === "") {
    throw new ConfigError(
      `KeyFile and CertFile must both be present[key: ${keyFile}, cert: ${certFile}]`,
    );
  }
  const cert = content(certFile);
  const key = content(keyFile);
  assertPair(cert, key, config);
  const options: SecureContextOptions = {
    cert,
    key,
    minVersion: VERSIONS[minVersion === "TLS1.3" ? "TLS1.3" : "TLS1.2"],
    ...(maxVersion !== "" && {
      maxVersion: VERSIONS[maxVersion === "TLS1.2" ? "TLS1.2" : "TLS1.3"],
    }),
    ...ciphersOf(cipherSuites),
    honorCipherOrder: true,
  };
  if (trustedCaFile !== "") options.ca = caOf(trustedCaFile);
  assertUsable(options);
  return { options, revoked: crlFile === "" ? new Set() : crlOf(crlFile) };
}

function content(path: string): Buffer {
  try {
    return readWholeFile(path);
  } catch (error) {
    throw new ConfigError(systemErrorText(error) ?? `${path}: it cannot be read`);
  }
}

function assertPair(cert: Buffer, key: Buffer, { certFile, keyFile }: ClientTlsConfig): void {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    throw new ConfigError(`tls: failed to find any PEM data in certificate input (${certFile})`);
  }
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new ConfigError(`tls: failed to find any PEM data in key input (${keyFile})`);
  }
  if (!matches) {
    throw new ConfigError(`tls: private key does not match public key (${certFile}, ${keyFile})`);
  }
}

function caOf(path: string): string[] {
  const blocks =
    content(path)
      .toString("latin1")
      .match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new ConfigError(`${path}: there is no PEM certificate in it`);
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch {
      throw new ConfigError(`${path}: a certificate in it cannot be read`);
    }
  }
  return blocks;
}

function crlOf(path: string): ReadonlySet<string> {
  try {
    return revokedSerials(content(path));
  } catch (error) {
    if (error instanceof DerError) throw new ConfigError(`${path}: ${error.message}`);
    throw error;
  }
}

function ciphersOf(names: readonly string[]): { readonly ciphers?: string } {
  if (names.length === 0) return {};
  const found = cipherList(names);
  if ("ciphers" in found) return found;
  throw new ConfigError(`unexpected TLS cipher suite ${JSON.stringify(found.unexpected)}`);
}

function assertUsable(options: SecureContextOptions): void {
  try {
    createSecureContext(options);
  } catch (error) {
    throw new ConfigError(`tls: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Of the certificate or of any that vouches for it. */
function revokedOf(
  certificate: DetailedPeerCertificate,
  revoked: ReadonlySet<string>,
): string | undefined {
  if (revoked.size === 0) return undefined;
  let at: DetailedPeerCertificate | undefined = certificate;
  const seen = new Set<string>();
  while (at?.serialNumber !== undefined && !seen.has(at.fingerprint256)) {
    seen.add(at.fingerprint256);
    if (revoked.has(serialText(at.serialNumber))) return at.serialNumber.toLowerCase();
    at = at.issuerCertificate;
  }
  return undefined;
}
