/** `--auto-tls`: a certificate that vouches for itself, made once and kept. @see etcd client/pkg/transport SelfCert */
import { join } from "node:path";
import { SystemDirectory } from "../../../native-free/file.ts";
import type { ClientTlsConfig } from "../config/server-config.ts";
import { ConfigError } from "../config/settings.ts";
import type { MemberUrl } from "../config/url-list.ts";
import type { Logger } from "../logging/logger.ts";
import { makeCertificate } from "./certificate.ts";
import { CERT_NAME, KEY_NAME, makeOnce } from "./certificate-files.ts";

const YEAR_MS = 365 * 24 * 3_600_000;

/**
 * @returns the configuration with the files in it: what was there, or what is made now
 * @throws ConfigError, the system's errors
 */
export function withAutoTls(
  config: ClientTlsConfig,
  place: { readonly dataDir: string; readonly urls: readonly MemberUrl[]; readonly now: Date },
  log: Logger,
): ClientTlsConfig {
  if (!config.autoTls) return config;
  if (config.certFile !== "" || config.keyFile !== "") {
    log.warn("ignoring client auto TLS since certs given");
    return config;
  }
  if (config.selfSignedCertValidityYears === 0) {
    throw new ConfigError("selfSignedCertValidity is invalid,it should be greater than 0");
  }
  const folder = SystemDirectory.make(join(place.dataDir, "fixtures", "client"));
  const certFile = join(folder.path, CERT_NAME);
  const keyFile = join(folder.path, KEY_NAME);
  const found = { ...config, certFile, keyFile };
  const until = new Date(place.now.getTime() + config.selfSignedCertValidityYears * YEAR_MS);
  const isNew = makeOnce(folder, () => {
    log.warn("automatically generate certificates", {
      "certificate-validity-bound-not-after": until.toISOString(),
    });
    return makeCertificate({
      organization: "etcd",
      hosts: [...new Set(place.urls.map(({ host }) => host).filter((host) => host !== ""))],
      from: place.now,
      until,
      isCa: true,
      usages: ["server"],
    });
  });
  if (!isNew) return found;
  log.info("created cert file", { path: certFile });
  log.info("created key file", { path: keyFile });
  return found;
}
