import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect, createServer } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import type { ClientTlsConfig } from "../config/server-config.ts";
import { memberUrl } from "../config/url-list.ts";
import { SILENT } from "../logging/log.ts";
import { withAutoTls } from "./auto-tls.ts";
import {
  type CertificateRequest,
  type MadeCertificate,
  makeCertificate,
  makeRevocationList,
} from "./certificate.ts";
import { cipherList } from "./cipher-suites.ts";
import { ClientTls } from "./client-tls.ts";
import { DerError } from "./der.ts";
import { revokedSerials, serialText } from "./revocation-list.ts";

const FROM = new Date(Date.now() - 60_000);
const UNTIL = new Date(Date.now() + 3_600_000);

function made(request: Partial<CertificateRequest> = {}): MadeCertificate {
  return makeCertificate({
    commonName: "server",
    hosts: ["localhost", "127.0.0.1", "::1"],
    from: FROM,
    until: UNTIL,
    isCa: false,
    usages: ["server", "client"],
    ...request,
  });
}

const ca = made({ commonName: "the ca", hosts: [], isCa: true, usages: [] });
const server = made({ issuer: ca });

class Files {
  readonly folder = scratchFolder("tls");

  put(name: string, text: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }
}

function configOf(files: Files, rest: Partial<ClientTlsConfig> = {}): ClientTlsConfig {
  return {
    certFile: files.put("server.pem", server.certificate),
    keyFile: files.put("server.key", server.key),
    trustedCaFile: "",
    crlFile: "",
    clientCertAuth: false,
    allowedHostnames: [],
    autoTls: false,
    selfSignedCertValidityYears: 1,
    cipherSuites: [],
    minVersion: "TLS1.2",
    maxVersion: "",
    ...rest,
  };
}

/** A port that takes connections as the listener does. */
async function serve(tls: ClientTls): Promise<number> {
  const sockets = new Set<Socket>();
  const port = createServer(tls.options, (socket) => {
    socket.on("error", () => undefined);
    socket.end(tls.objection(socket) ?? `hello ${socket.getCipher().name}`);
  });
  port.on("connection", (socket: Socket) => {
    sockets.add(socket);
    tls.look();
  });
  tls.follow(port);
  port.listen(0, "127.0.0.1");
  await once(port, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    port.close();
    tls.unfollow(port);
  });
  return (port.address() as AddressInfo).port;
}

async function said(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", ca: ca.certificate, ...options });
  onTestFinished(() => {
    socket.destroy();
  });
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  return await new Promise((resolve) => {
    socket.on("error", (error) => resolve(`error: ${error.message}`));
    socket.on("end", () => resolve(text));
  });
}

describe("certificates of our own", () => {
  test("are what OpenSSL takes them for", () => {
    const files = new Files();
    const caFile = files.put("ca.pem", ca.certificate);
    const file = files.put("server.pem", server.certificate);
    const openssl = (...args: string[]): string =>
      execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    expect(openssl("verify", "-x509_strict", "-CAfile", caFile, file)).toBe(`${file}: OK\n`);
    const text = openssl("x509", "-in", file, "-noout", "-text");
    expect(text).toContain("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    expect(text).toContain("TLS Web Server Authentication, TLS Web Client Authentication");
    const list = files.put("crl.pem", makeRevocationList(ca, [server], FROM));
    expect(openssl("crl", "-in", list, "-noout", "-text", "-CAfile", caFile)).toContain(
      `Serial Number: ${serialText(Buffer.from(server.serial).toString("hex"))}`,
    );
  });

  test("hold what was asked for", () => {
    const certificate = new X509Certificate(
      made({ until: new Date("2060-01-01T00:00:00Z"), hosts: ["fe80::1:2"] }).certificate,
    );
    expect(certificate.subject).toBe("CN=server");
    expect(certificate.subjectAltName).toBe("IP Address:FE80:0:0:0:0:0:1:2");
    expect(certificate.validTo).toBe("Jan  1 00:00:00 2060 GMT");
    expect(
      new X509Certificate(server.certificate).checkIssued(new X509Certificate(ca.certificate)),
    ).toBe(true);
  });

  test("a revocation list in PEM, in DER, and what is none", () => {
    const pem = makeRevocationList(ca, [server, ca], FROM);
    const der = Buffer.from(pem.replace(/-----.*-----/g, ""), "base64");
    const serials = new Set(
      [server, ca].map(({ serial }) => serialText(Buffer.from(serial).toString("hex"))),
    );
    expect(revokedSerials(Buffer.from(pem))).toEqual(serials);
    expect(revokedSerials(der)).toEqual(serials);
    expect(revokedSerials(Buffer.from(makeRevocationList(ca, [], FROM)))).toEqual(new Set());
    for (let length = 0; length < der.length; length++) {
      expect(() => revokedSerials(der.subarray(0, length))).toThrow(DerError);
    }
  });
});

describe("clients over TLS", () => {
  test("are served, and TLS 1.1 or an unknown CA is not", async () => {
    const port = await serve(new ClientTls(configOf(new Files()), SILENT));
    expect(await said(port)).toMatch(/^hello TLS_/);
    expect(await said(port, { ca: [] })).toMatch(/^error: .*(self-signed|unable to)/);
  });

  test("the versions and cipher suites that the flags name", async () => {
    const cipherSuites = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"];
    const two = await serve(
      new ClientTls(configOf(new Files(), { maxVersion: "TLS1.2", cipherSuites }), SILENT),
    );
    expect(await said(two)).toBe("hello ECDHE-ECDSA-AES256-GCM-SHA384");
    expect(await said(two, { minVersion: "TLSv1.3" })).toMatch(/^error: .*version/);
    expect(await said(two, { ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).toMatch(/^error: /);
    const three = await serve(
      new ClientTls(configOf(new Files(), { minVersion: "TLS1.3" }), SILENT),
    );
    expect(await said(three, { maxVersion: "TLSv1.2" })).toMatch(/^error: .*version/);
  });

  test("must show a certificate that is vouched for, is not revoked, and has a name that is allowed", async () => {
    const files = new Files();
    const client = made({ issuer: ca, commonName: "client", hosts: ["client.example"] });
    const revoked = made({ issuer: ca, commonName: "revoked", hosts: ["client.example"] });
    const other = made({ issuer: ca, commonName: "other", hosts: ["other.example"] });
    const stranger = made({ commonName: "stranger" });
    const tls = new ClientTls(
      configOf(files, {
        clientCertAuth: true,
        trustedCaFile: files.put("ca.pem", ca.certificate),
        crlFile: files.put("crl.pem", makeRevocationList(ca, [revoked], FROM)),
        allowedHostnames: ["none.example", "client.example"],
      }),
      SILENT,
    );
    expect(tls.wantsCertificate).toBe(true);
    const port = await serve(tls);
    const as = ({ certificate, key }: MadeCertificate): Promise<string> =>
      said(port, { cert: certificate, key });
    expect(await as(client)).toMatch(/^hello TLS_/);
    expect(await as(revoked)).toMatch(/^transport: certificate serial [0-9a-f]{32} revoked$/);
    expect(await as(other)).toBe("client certificate authentication failed");
    expect(await as(stranger)).toMatch(/^error: |^$/);
    expect(await said(port)).toMatch(/^error: |^$/);
  });

  test("see a renewed certificate, and the old one as long as the new one is not whole", async () => {
    const files = new Files();
    const port = await serve(new ClientTls(configOf(files), SILENT));
    const renewed = made({ issuer: ca, commonName: "renewed" });
    const name = async (): Promise<string> => {
      const socket = connect({ port, host: "127.0.0.1", ca: ca.certificate });
      await once(socket, "secureConnect");
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return String(CN);
    };
    const renewedWithin = async (tries: number): Promise<boolean> => {
      for (let i = 0; i < tries; i++) {
        if ((await name()) === "renewed") return true;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return false;
    };
    expect(await name()).toBe("server");
    files.put("server.pem", renewed.certificate);
    expect(await renewedWithin(30)).toBe(false);
    files.put("server.key", renewed.key);
    expect(await renewedWithin(600)).toBe(true);
  });
});

describe("files that are wrong are one clear line", () => {
  const files = new Files();
  const good = configOf(files);
  test.each([
    [
      "no certificate",
      { certFile: "/nonexistent/c" },
      "open /nonexistent/c: no such file or directory",
    ],
    ["no key named", { keyFile: "" }, /^KeyFile and CertFile must both be present\[key: , cert: /],
    [
      "nonsense",
      { certFile: files.put("x", "x") },
      /^tls: failed to find any PEM data in certificate input/,
    ],
    [
      "a key that is none",
      { keyFile: files.put("y", "x") },
      /^tls: failed to find any PEM data in key input/,
    ],
    [
      "another's key",
      { keyFile: files.put("z", ca.key) },
      /^tls: private key does not match public key/,
    ],
    [
      "an empty CA file",
      { trustedCaFile: files.put("e", "") },
      /there is no PEM certificate in it$/,
    ],
    ["a CRL that is none", { crlFile: files.put("l", "x") }, /it ends in the middle of a value$/],
    ["a suite that is none", { cipherSuites: ["TLS_X"] }, 'unexpected TLS cipher suite "TLS_X"'],
  ])("%s", (_, rest, message) => {
    expect(() => new ClientTls({ ...good, ...rest }, SILENT)).toThrow(message);
  });
});

test("auto TLS makes a certificate once, for the addresses that are listened on", async () => {
  const config = { ...configOf(new Files()), certFile: "", keyFile: "", autoTls: true };
  const place = {
    dataDir: scratchFolder("auto-tls"),
    urls: [memberUrl("https://localhost:1"), memberUrl("https://127.0.0.1:2")],
    now: new Date(),
  };
  const found = withAutoTls(config, place, SILENT);
  expect(found.certFile).toBe(join(place.dataDir, "fixtures/client/cert.pem"));
  const port = await serve(new ClientTls(found, SILENT));
  const trusted = execFileSync("cat", [found.certFile], { encoding: "utf8" });
  expect(await said(port, { ca: trusted })).toMatch(/^hello TLS_/);
  expect(withAutoTls(config, place, SILENT)).toEqual(found);
  expect(execFileSync("cat", [found.certFile], { encoding: "utf8" })).toBe(trusted);
});

test("cipher suites by Go's names", () => {
  expect(cipherList(["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"])).toEqual({
    ciphers:
      "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256",
  });
  expect(cipherList(["TLS_RSA_WITH_RC4_128_SHA"])).toEqual({
    unexpected: "TLS_RSA_WITH_RC4_128_SHA",
  });
});
