/** One port for everything, over real sockets. */
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { frame } from "../../test/support/fake-stream.ts";
import { GrpcServer } from "../grpc/grpc-server.ts";
import type { Service, UnaryCall } from "../grpc/service.ts";
import type { TlsSide } from "./listener/tls-door.ts";
import { Listener, type ListenerOptions } from "./listener.ts";
import { type CertificateRequest, makeCertificate } from "./tls/certificate.ts";

const HOUR_MS = 3_600_000;

function made(request: Partial<CertificateRequest> = {}): ReturnType<typeof makeCertificate> {
  return makeCertificate({
    commonName: "server",
    hosts: ["localhost", "127.0.0.1"],
    from: new Date(Date.now() - HOUR_MS),
    until: new Date(Date.now() + HOUR_MS),
    isCa: false,
    usages: ["server", "client"],
    ...request,
  });
}

const ca = made({ commonName: "ca", hosts: [], isCa: true, usages: [] });
const own = made({ issuer: ca });

function secure(asked: boolean): TlsSide {
  return {
    options: {
      cert: own.certificate,
      key: own.key,
      ca: ca.certificate,
      requestCert: asked,
      rejectUnauthorized: asked,
    },
    follow() {},
    unfollow() {},
    look() {},
    objection: () => undefined,
  };
}

let hanging: UnaryCall | undefined;
const service: Service = {
  name: "test.Echo",
  methods: {
    Say: {
      kind: "unary",
      handle: (call, bytes, start, end) => call.reply(bytes.subarray(start, end)),
    },
    Who: {
      kind: "unary",
      handle: (call) => call.reply(Buffer.from(`${call.peer.certificateCommonName}`)),
    },
    Hang: {
      kind: "unary",
      handle: (call) => {
        hanging = call;
      },
    },
  },
};

async function serve(options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const listener = await Listener.open({
    address: { scheme: "http", host: "127.0.0.1", port: 0, address: "" },
    grpc: new GrpcServer({ services: [service], maxReceiveBytes: 1 << 20 }),
    http1: (request, response) => {
      if (request.url === "/slow") return;
      request.on("data", () => {});
      request.on("end", () => {
        response.setHeader("x-method", request.method ?? "");
        response.end(`HTTP/${request.httpVersion} ${request.url} ${request.headers.host}`);
      });
    },
    ...options,
  });
  onTestFinished(() => listener.close(0));
  return listener;
}

const HTTPS = { scheme: "https", host: "127.0.0.1", port: 0, address: "" } as const;

function socketTo(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

/** All that the other side says until it closes. */
async function saidBy(socket: Socket): Promise<string> {
  let said = "";
  socket.on("data", (chunk: Buffer) => {
    said += chunk.toString("latin1");
  });
  if (!socket.closed) await once(socket, "close");
  return said;
}

async function get(url: string, options: https.RequestOptions = {}): Promise<string> {
  const scheme = url.startsWith("https") ? https : http;
  return await new Promise((resolve, reject) => {
    scheme
      .get(url, { agent: false, ca: ca.certificate, ...options }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve(text));
      })
      .on("error", reject);
  });
}

/** A call by Node's own HTTP/2. @returns the status, and the body */
async function ask(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body: Uint8Array = new Uint8Array(),
): Promise<{
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: string;
}> {
  const stream = session.request(headers, { endStream: body.length === 0 });
  if (body.length > 0) stream.end(body);
  let text = "";
  stream.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  const [response] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  await once(stream, "close");
  return { status: Number(response[":status"]), headers: response, body: text };
}

function session(
  url: string,
  options: http2.SecureClientSessionOptions = {},
): http2.ClientHttp2Session {
  const client = http2.connect(url, { ca: ca.certificate, ...options });
  client.on("error", () => {});
  onTestFinished(() => client.destroy());
  return client;
}

const SAY = {
  ":method": "POST",
  ":path": "/test.Echo/Say",
  "content-type": "application/grpc",
  te: "trailers",
};

describe("a plain port", () => {
  test("speaks HTTP/1.1 and gRPC", async () => {
    const { port } = await serve();
    expect(await get(`http://127.0.0.1:${port}/version`)).toBe(
      `HTTP/1.1 /version 127.0.0.1:${port}`,
    );
    const client = session(`http://127.0.0.1:${port}`);
    expect((await ask(client, SAY, frame("hello"))).body).toBe("\0\0\0\0\x05hello");
    const other = await ask(client, { ":path": "/version" });
    expect(other.status).toBe(415);
    expect(other.headers["grpc-status"]).toBe("3");
  });

  test("finds out however the bytes come", async () => {
    const { port } = await serve();
    const socket = socketTo(port);
    for (const character of "GET /slowly HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n") {
      socket.write(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await saidBy(socket)).toMatch(/HTTP\/1.1 \/slowly x$/);
    const preface = socketTo(port);
    for (const character of "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
      preface.write(character, "latin1");
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [settings] = (await once(preface, "data")) as [Buffer];
    expect(settings[3]).toBe(4);
  });

  test("a body that begins with the request, and one that does not", async () => {
    const { port } = await serve();
    const socket = socketTo(port);
    const body = "x".repeat(200_000);
    socket.write(`POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    socket.write("PUT /b HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\nconnection: close\r\n\r\ny");
    expect(await saidBy(socket)).toMatch(/x-method: POST[\s\S]*x-method: PUT/);
  });

  test.each([
    ["a ClientHello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["noise", "\x00\x01\x02\x03"],
    ["lower case", "get / HTTP/1.1\r\n\r\n"],
    ["no end of a word", "A".repeat(30)],
  ])("closes without a word at %s", async (_what, bytes) => {
    const { port } = await serve();
    const socket = socketTo(port);
    socket.write(bytes, "latin1");
    expect(await saidBy(socket)).toBe("");
  });

  test("what is nearly HTTP is told so", async () => {
    const { port } = await serve();
    const socket = socketTo(port);
    socket.write("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    expect(await saidBy(socket)).toMatch(/^HTTP\/1.1 400 Bad Request/);
  });

  test("who says nothing has so much time", async () => {
    const { port } = await serve({ firstBytesTimeoutMs: 50 });
    expect(await saidBy(socketTo(port))).toBe("");
    const half = socketTo(port);
    half.write("PRI *");
    expect(await saidBy(half)).toBe("");
  });

  test("a port for one protocol closes on the other", async () => {
    const grpcOnly = await serve({ http1: undefined });
    await expect(get(`http://127.0.0.1:${grpcOnly.port}/`)).rejects.toThrow("socket hang up");
    const httpOnly = await serve({ grpc: undefined });
    const socket = socketTo(httpOnly.port);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    expect(await saidBy(socket)).toBe("");
  });

  test("no more connections than are wanted", async () => {
    const listener = await serve({ maxConnections: 1 });
    const first = socketTo(listener.port);
    await once(first, "connect");
    await vi.waitFor(() => expect(listener.connections).toBe(1));
    expect(await saidBy(socketTo(listener.port))).toBe("");
    expect(first.destroyed).toBe(false);
  });

  test("counts bytes and connections", async () => {
    const listener = await serve();
    const text = await get(`http://127.0.0.1:${listener.port}/`);
    await vi.waitFor(() => expect(listener.connections).toBe(0));
    expect(listener.bytesIn).toBeGreaterThan(20);
    expect(listener.bytesOut).toBeGreaterThan(text.length);
  });
});

describe("a secure port", () => {
  test("speaks HTTP/1.1, and gRPC by ALPN", async () => {
    const { port } = await serve({ address: HTTPS, tls: secure(false) });
    expect(await get(`https://127.0.0.1:${port}/version`)).toBe(
      `HTTP/1.1 /version 127.0.0.1:${port}`,
    );
    const client = session(`https://127.0.0.1:${port}`);
    expect((await ask(client, SAY, frame("hello"))).body).toBe("\0\0\0\0\x05hello");
  });

  test("hands what is not gRPC's, but came by HTTP/2, to the same handler", async () => {
    const { port } = await serve({ address: HTTPS, tls: secure(false) });
    const client = session(`https://127.0.0.1:${port}`);
    const answer = await ask(client, { ":path": "/health?a=b" });
    expect(answer).toMatchObject({ status: 200, body: `HTTP/1.1 /health?a=b 127.0.0.1:${port}` });
    expect(answer.headers).not.toHaveProperty("connection");
    const head = await ask(client, { ":path": "/", ":method": "HEAD" });
    expect(head).toMatchObject({ status: 200, body: "" });
    const put = await ask(
      client,
      { ":path": "/a", ":method": "PUT", cookie: ["a=1", "b=2"] },
      Buffer.alloc(300_000),
    );
    expect(put.headers["x-method"]).toBe("PUT");
    expect((await ask(client, { ":path": "/a b" })).status).toBe(400);
    const given = client.request({ ":path": "/slow" });
    given.close(http2.constants.NGHTTP2_CANCEL);
    await once(given, "close");
    expect((await ask(client, { ":path": "/again" })).status).toBe(200);
  });

  test("finds HTTP/2 without ALPN, too", async () => {
    const { port } = await serve({ address: HTTPS, tls: secure(false) });
    const socket = tls.connect({ port, host: "127.0.0.1", ca: ca.certificate });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe(false);
    const client = session(`https://127.0.0.1:${port}`, { createConnection: () => socket });
    expect((await ask(client, SAY, frame("x"))).body).toBe("\0\0\0\0\x01x");
  });

  test("closes on those who do not shake hands, and says why to the log", async () => {
    const onRefused = vi.fn();
    const { port } = await serve({
      address: HTTPS,
      tls: secure(false),
      onRefused,
      handshakeTimeoutMs: 100,
    });
    const plain = socketTo(port);
    plain.write("GET / HTTP/1.1\r\n\r\n");
    expect(await saidBy(plain)).not.toContain("HTTP");
    expect(onRefused.mock.lastCall?.[2]).toBe(
      "tls: first record does not look like a TLS handshake",
    );
    const hasty = socketTo(port);
    await once(hasty, "connect");
    hasty.destroy();
    await vi.waitFor(() => expect(onRefused).toHaveBeenCalledTimes(2));
    expect(onRefused.mock.lastCall?.[2]).toBe("EOF");
    await saidBy(socketTo(port));
    expect(onRefused.mock.lastCall).toEqual([
      expect.stringMatching(/^127.0.0.1:\d+$/),
      "",
      "i/o timeout",
    ]);
    expect(onRefused).toHaveBeenCalledTimes(3);
    await expect(get(`https://127.0.0.1:${port}/`, { ca: [] })).rejects.toThrow();
    await vi.waitFor(() => expect(onRefused).toHaveBeenCalledTimes(4));
    expect(onRefused.mock.lastCall).toEqual([
      expect.stringMatching(/^127.0.0.1:\d+$/),
      expect.any(String),
      // Whether it says so, and whether that comes before its end, is the client's affair.
      expect.stringMatching(/^(EOF|remote error: tls: unknown certificate authority)$/),
    ]);
  });

  test("for HTTP only: by HTTP/2, too, whatever it says it is", async () => {
    const { port } = await serve({ address: HTTPS, tls: secure(false), grpc: undefined });
    const client = session(`https://127.0.0.1:${port}`);
    expect((await ask(client, { ":path": "/metrics" })).body).toContain("/metrics");
    expect((await ask(client, SAY, frame("x"))).body).toContain("/test.Echo/Say");
  });

  test("asks for certificates", async () => {
    const onRefused = vi.fn();
    const { port } = await serve({ address: HTTPS, tls: secure(true), onRefused });
    const one = made({ issuer: ca, commonName: "root" });
    const client = session(`https://127.0.0.1:${port}`, { cert: one.certificate, key: one.key });
    const who = { ...SAY, ":path": "/test.Echo/Who" };
    expect((await ask(client, who, frame(""))).body.slice(5)).toBe("root");
    expect(onRefused).not.toHaveBeenCalled();
    await expect(get(`https://127.0.0.1:${port}/`)).rejects.toThrow();
    await vi.waitFor(() => expect(onRefused).toHaveBeenCalledTimes(1));
    expect(onRefused.mock.lastCall?.[2]).toBe("tls: client didn't provide a certificate");
    const then = new Date(Date.now() - HOUR_MS / 2);
    const wrong = [
      [made(), "x509: certificate signed by unknown authority"],
      [made({ issuer: ca, until: then }), "x509: certificate has expired or is not yet valid"],
    ] as const;
    for (const [{ certificate, key }, why] of wrong) {
      onRefused.mockClear();
      await expect(get(`https://127.0.0.1:${port}/`, { cert: certificate, key })).rejects.toThrow();
      await vi.waitFor(() => expect(onRefused).toHaveBeenCalledTimes(1));
      expect(onRefused.mock.lastCall).toEqual([
        expect.stringMatching(/^127.0.0.1:\d+$/),
        "",
        `tls: failed to verify certificate: ${why}`,
      ]);
    }
  });

  test("turns away whom its configuration does not like", async () => {
    const onRefused = vi.fn();
    const side = { ...secure(true), objection: () => "no" };
    const { port } = await serve({ address: HTTPS, tls: side, onRefused });
    const one = made({ issuer: ca });
    await expect(
      get(`https://127.0.0.1:${port}/`, { cert: one.certificate, key: one.key }),
    ).rejects.toThrow();
    expect(onRefused).toHaveBeenCalledWith(expect.any(String), "", "no");
  });
});

describe("addresses", () => {
  test("one that is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => {
      taken.close();
    });
    const { port } = taken.address() as AddressInfo;
    await expect(
      serve({ address: { scheme: "http", host: "127.0.0.1", port, address: "" } }),
    ).rejects.toThrow(`listen tcp 127.0.0.1:${port}: bind: address already in use`);
  });

  test("a name that nobody knows, and an address that is not ours", async () => {
    await expect(
      serve({ address: { scheme: "http", host: "nobody.invalid", port: 0, address: "" } }),
    ).rejects.toThrow("listen tcp: lookup nobody.invalid: no such host");
    await expect(
      serve({ address: { scheme: "http", host: "192.0.2.1", port: 1, address: "" } }),
    ).rejects.toThrow("listen tcp 192.0.2.1:1: bind: cannot assign requested address");
  });

  test("a unix socket, in the place of one that was left behind", async () => {
    const path = join(scratchFolder("listener"), "s");
    const address = { scheme: "unix", host: "", port: 0, address: path } as const;
    const before = createServer().listen(path);
    await once(before, "listening");
    onTestFinished(() => {
      before.close();
    });
    const listener = await serve({ address });
    expect(listener.port).toBe(0);
    expect(await get("http://localhost/", { socketPath: path })).toContain("localhost");
    const secured = await serve({
      address: { ...address, scheme: "unixs", address: `${path}s` },
      tls: secure(false),
    });
    expect(await get("https://localhost/", { socketPath: `${path}s` })).toContain("localhost");
    expect(secured.connections).toBeGreaterThan(0);
  });
});

describe("closing", () => {
  test("lets what is under way come to its end", async () => {
    const listener = await serve();
    const client = session(`http://127.0.0.1:${listener.port}`);
    const stream = client.request({ ...SAY, ":path": "/test.Echo/Hang" });
    stream.end(frame(""));
    await vi.waitFor(() => expect(hanging).toBeDefined());
    const idle = socketTo(listener.port);
    await vi.waitFor(() => expect(listener.connections).toBe(2));
    const goaway = once(client, "goaway");
    const closed = listener.close(60_000);
    await goaway;
    await once(idle, "close");
    await expect(get(`http://127.0.0.1:${listener.port}/`)).rejects.toThrow("ECONNREFUSED");
    hanging?.reply(Buffer.from("late"));
    const [response] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    expect(response[":status"]).toBe(200);
    stream.resume();
    await closed;
    expect(listener.connections).toBe(0);
  });

  test("cuts off what takes too long", async () => {
    const listener = await serve();
    const client = session(`http://127.0.0.1:${listener.port}`);
    const stream = client.request({ ...SAY, ":path": "/test.Echo/Hang" });
    stream.on("error", () => {});
    stream.end(frame(""));
    const slow = get(`http://127.0.0.1:${listener.port}/slow`);
    slow.catch(() => {});
    await vi.waitFor(() => expect(listener.connections).toBe(2));
    await listener.close(50);
    await expect(slow).rejects.toThrow();
    expect(listener.connections).toBe(0);
  });

  test("idle HTTP/1.1 connections are closed at once", async () => {
    const listener = await serve();
    const agent = new http.Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    await get(`http://127.0.0.1:${listener.port}/`, { agent: agent as https.Agent });
    expect(listener.connections).toBe(1);
    await listener.close(60_000);
    expect(listener.connections).toBe(0);
  });
});
