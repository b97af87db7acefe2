/** Who speaks TLS to whom, and whom we believe. */
import { readFileSync } from "node:fs";
import type { SecureServerOptions } from "node:http2";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { echo, HostilePeer } from "../../../test/support/hostile-peer.ts";
import { Http2Transport } from "./http2-transport.ts";
import type { TlsOptions } from "./transport-options.ts";

const FIXTURES = join(import.meta.dirname, "../../../test/golden/fixtures");
const pem = (name: string): Buffer => readFileSync(join(FIXTURES, name));

const ca = pem("tls/ca.pem");
const mutual = { ca, cert: pem("tls/client.pem"), key: pem("tls/client-key.pem") };
const server: SecureServerOptions = {
  cert: pem("tls/server.pem"),
  key: pem("tls/server-key.pem"),
};
const asking: SecureServerOptions = { ...server, ca, requestCert: true, rejectUnauthorized: true };

const open: Http2Transport[] = [];
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close();
});

/** The answer, or the error and what was behind it. */
async function outcome(endpoint: string, tls: TlsOptions | undefined): Promise<string> {
  const transport = new Http2Transport({ endpoints: [endpoint], tls });
  open.push(transport);
  const good = transport.unary("/a/b", Buffer.from("hello"), { timeoutMs: 20_000 });
  const quick = transport.unary("/a/b", Buffer.from("hello"), { timeoutMs: 400 });
  try {
    await quick;
    return Buffer.from(await good).toString();
  } catch (error) {
    good.catch(() => undefined);
    const { message, cause } = error as Error;
    expect(message).toBe("context deadline exceeded");
    const { code = "", message: why } = cause as Error & { code?: string };
    return `${code} ${why}`;
  } finally {
    await transport.close();
  }
}

test("TLS is spoken where the scheme says so, or leaves it open and there are options", async () => {
  await using peer = await HostilePeer.start(echo, { tls: server });
  expect(await outcome(`https://${peer.endpoint}`, { ca })).toBe("hello");
  expect(await outcome(peer.endpoint, { ca })).toBe("hello");
  expect(await outcome(`https://localhost:${peer.port}`, { ca: ca.toString() })).toBe("hello");
  expect(peer.requests[0]).toMatchObject({ ":scheme": "https", ":authority": peer.endpoint });
});

test("http:// is plain text, whatever the options", async () => {
  await using plain = await HostilePeer.start(echo);
  expect(await outcome(`http://${plain.endpoint}`, { ca })).toBe("hello");
  expect(await outcome(plain.endpoint, { ca })).not.toBe("hello");
  await using secure = await HostilePeer.start(echo, { tls: server });
  expect(await outcome(`http://${secure.endpoint}`, { ca })).not.toBe("hello");
  expect(await outcome(secure.endpoint, undefined)).not.toBe("hello");
});

test("a server whose authority or name we do not know is a dead one, unless we take any", async () => {
  await using peer = await HostilePeer.start(echo, { tls: server });
  const endpoint = `https://${peer.endpoint}`;
  expect(await outcome(endpoint, undefined)).toContain("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  expect(await outcome(endpoint, { ca: pem("tls/other-ca.pem") })).toContain("UNABLE_TO_VERIFY");
  expect(await outcome(endpoint, { ca, serverName: "other" })).toContain(
    "ERR_TLS_CERT_ALTNAME_INVALID",
  );
  expect(await outcome(endpoint, { ca, serverName: "localhost" })).toBe("hello");
  expect(await outcome(endpoint, { insecureSkipVerify: true })).toBe("hello");
});

test("a server that asks for a certificate", async () => {
  await using peer = await HostilePeer.start(echo, { tls: asking });
  expect(await outcome(peer.endpoint, mutual)).toBe("hello");
  expect(await outcome(peer.endpoint, { ca })).not.toBe("hello");
});

test("TLS over a unix socket", async () => {
  const path = join(scratchFolder("tls"), "socket");
  await using _peer = await HostilePeer.start(echo, { tls: server, listen: { path } });
  expect(await outcome(`unixs://${path}`, { ca })).toBe("hello");
});

test("what is no certificate, or not of that key, is a mistake at once", () => {
  const endpoints = ["127.0.0.1:1"];
  for (const tls of [
    { ca, cert: "nonsense", key: mutual.key },
    { ca, cert: mutual.cert, key: pem("tls/server-key.pem") },
  ]) {
    expect(() => new Http2Transport({ endpoints, tls })).toThrow(/^tls: /);
  }
});
