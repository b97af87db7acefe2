/** Against Node's own client, which is nghttp2: bodies, windows, streams in numbers, TLS, and how connections end. */
import { readFileSync } from "node:fs";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { expect, onTestFinished, test } from "vitest";
import { goldenPath } from "../../test/support/golden.ts";
import { echo, HEAD, listening, type Rig, rig, TRAILERS } from "../../test/support/http2-rig.ts";
import { ErrorCode } from "./error-code.ts";

function client(
  { port }: Rig,
  options: SecureClientSessionOptions = {},
  scheme = "http",
): ClientHttp2Session {
  const session = connect(`${scheme}://127.0.0.1:${port}`, options);
  onTestFinished(() => session.destroy());
  return session;
}

function post(session: ClientHttp2Session, more: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  return session.request({ ":method": "POST", ":path": "/a/b", te: "trailers", ...more });
}

interface Answer {
  readonly head: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
}

function answerTo(request: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let head = {};
    let trailers = {};
    const parts: Buffer[] = [];
    request.on("response", (fields) => {
      head = { ...fields };
    });
    request.on("trailers", (fields) => {
      trailers = { ...fields };
    });
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("error", reject);
    request.on("end", () => resolve({ head, trailers, body: Buffer.concat(parts) }));
  });
}

async function echoed(session: ClientHttp2Session, body: Uint8Array): Promise<void> {
  const request = post(session);
  request.end(body);
  const answer = await answerTo(request);
  expect(answer.head).toMatchObject({ ":status": 200, "content-type": "application/grpc" });
  expect(answer.body.equals(body)).toBe(true);
  expect(answer.trailers).toMatchObject({ "grpc-status": "0" });
}

/** Every byte differs from its neighbours, so that none can be lost or doubled unseen. */
function pattern(bytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
}

test.each([0, 1, 16_384, 16_385, 100_000, 3_000_000])(
  "a body of %i bytes goes there and back",
  async (bytes) => {
    const server = await rig();
    const session = client(server);
    for (let round = 0; round < 3; round++) await echoed(session, pattern(bytes));
    const [connection] = server.connections;
    expect(connection?.openStreams).toBe(0);
    expect(connection?.bufferedBytes).toBe(0);
    expect(connection?.bytesIn).toBeGreaterThan(3 * bytes);
    expect(connection?.bytesOut).toBeGreaterThan(3 * bytes);
  },
);

test.each([1, 7, 1000])("a window of %i bytes is kept to", async (initialWindowSize) => {
  const session = client(await rig(), { settings: { initialWindowSize } });
  await Promise.all([echoed(session, pattern(3000)), echoed(session, pattern(500))]);
});

test.each([1, 100, 65_536])("ours of %i bytes is too", async (streamWindowBytes) => {
  const session = client(await rig(echo(), { streamWindowBytes, connectionWindowBytes: 65_535 }));
  await echoed(session, pattern(streamWindowBytes === 1 ? 300 : 200_000));
});

test("a thousand requests on one connection, many of them at a time", async () => {
  const server = await rig();
  const session = client(server);
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 200 }, (_, i) => echoed(session, pattern(i * 97))));
  }
  expect(server.seen).toHaveLength(1000);
  expect(server.connections).toHaveLength(1);
  expect(server.connections[0]?.openStreams).toBe(0);
});

test("requests that look the same share a head", async () => {
  const server = await rig();
  const session = client(server);
  for (let i = 0; i < 6; i++) await echoed(session, pattern(i));
  const heads = new Set(server.seen.map(({ head }) => head));
  expect(heads.size).toBeLessThan(6);
  const request = post(session, { "x-other": "1" });
  request.end();
  await answerTo(request);
  expect(heads.has(server.seen[6]?.head as never)).toBe(false);
  expect(server.seen[6]?.head.fields).toContainEqual(["x-other", "1"]);
});

test("the head of a request is what was asked", async () => {
  const server = await rig();
  const session = client(server);
  const request = session.request({
    ":method": "POST",
    ":path": "/etcdserverpb.KV/Put",
    ":authority": "etcd.example:2379",
    "content-type": "application/grpc",
    "x-twice": ["1", "2"],
    token: "\xe4\xff",
  });
  request.end();
  await answerTo(request);
  const head = server.seen[0]?.head;
  expect(head).toMatchObject({
    method: "POST",
    scheme: "http",
    authority: "etcd.example:2379",
    path: "/etcdserverpb.KV/Put",
  });
  expect(head?.fields.filter(([name]) => name === "x-twice")).toEqual([
    ["x-twice", "1"],
    ["x-twice", "2"],
  ]);
  expect(server.seen[0]?.stream.peer.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(server.seen[0]?.stream.peer.certificateCommonName).toBeUndefined();
});

test("a response without a body", async () => {
  const head = [[":status", "404"]] as const;
  const session = client(await rig(listening(({ stream }) => stream.sendHead(head, true))));
  const request = post(session);
  request.end();
  const answer = await answerTo(request);
  expect(answer.head).toMatchObject({ ":status": 404 });
  expect(answer.body).toHaveLength(0);
});

test("a head and trailers longer than a frame", async () => {
  const long = "x".repeat(20_000);
  const listener = listening(({ stream }) =>
    stream.respond([...HEAD, ["long", long]], [], [...TRAILERS, ["grpc-message", long]]),
  );
  const request = post(client(await rig(listener), { maxHeaderListPairs: 200 }));
  request.end();
  const answer = await answerTo(request);
  expect(answer.head).toMatchObject({ long });
  expect(answer.trailers).toMatchObject({ "grpc-message": long });
});

test("an answer before the request is whole ends both", async () => {
  const server = await rig(listening());
  const session = client(server);
  const request = post(session);
  request.write("one");
  await expect.poll(() => server.seen[0]?.parts.length).toBe(1);
  server.seen[0]?.stream.respond(HEAD, [], TRAILERS);
  const answer = await answerTo(request);
  expect(answer.trailers).toMatchObject({ "grpc-status": "0" });
  expect(server.seen[0]?.events).toEqual([]);
  expect(server.connections[0]?.openStreams).toBe(0);
  const again = post(session);
  again.end();
  await expect.poll(() => server.seen[1]?.events).toEqual(["ended"]);
});

test("a client that gives up is heard of, once", async () => {
  const server = await rig(listening());
  const request = post(client(server));
  request.on("error", () => {});
  request.end();
  await expect.poll(() => server.seen[0]?.events).toEqual(["ended"]);
  request.close(ErrorCode.cancel);
  await expect.poll(() => server.seen[0]?.events).toEqual(["ended", "cancelled"]);
  const stream = server.seen[0]?.stream;
  expect(stream?.closed).toBe(true);
  stream?.respond(HEAD, [], TRAILERS);
  stream?.sendHead(HEAD);
  expect(stream?.sendData([new Uint8Array(5)])).toBe(true);
  stream?.sendTrailers(TRAILERS);
  stream?.reset(ErrorCode.cancel);
  stream?.pause();
  stream?.resume();
  expect(server.connections[0]?.openStreams).toBe(0);
});

test("a connection that goes takes its streams along", async () => {
  const server = await rig(listening());
  const session = client(server);
  for (let i = 0; i < 3; i++) post(session).on("error", () => {});
  await expect.poll(() => server.seen.length).toBe(3);
  session.destroy();
  await server.connections[0]?.closed;
  expect(server.seen.map(({ events }) => events)).toEqual([
    ["cancelled"],
    ["cancelled"],
    ["cancelled"],
  ]);
});

test("a listener resets a stream", async () => {
  const session = client(
    await rig(listening(({ stream }) => stream.reset(ErrorCode.refusedStream))),
  );
  const request = post(session);
  request.end();
  await expect(answerTo(request)).rejects.toThrow("NGHTTP2_REFUSED_STREAM");
});

test("a response in pieces waits for its reader, and says when it may go on", async () => {
  const server = await rig(listening());
  const request = post(client(server));
  request.end();
  await expect.poll(() => server.seen[0]?.events).toEqual(["ended"]);
  const { stream, events } = server.seen[0] ?? expect.fail();
  stream.sendHead(HEAD);
  const piece = pattern(10_000);
  const sent: Buffer[] = [];
  let goOn = true;
  while (goOn) {
    sent.push(piece);
    goOn = stream.sendData([piece]);
    expect(sent.length).toBeLessThan(1000);
  }
  expect(stream.bufferedBytes).toBeGreaterThan(0);
  expect(server.connections[0]?.bufferedBytes).toBeGreaterThanOrEqual(stream.bufferedBytes);
  const answer = answerTo(request);
  await expect.poll(() => events).toEqual(["ended", "drained"]);
  stream.sendData([piece, pattern(40_000), piece]);
  stream.sendTrailers(TRAILERS);
  expect(stream.closed).toBe(true);
  const { body } = await answer;
  expect(body.equals(Buffer.concat([...sent, piece, pattern(40_000), piece]))).toBe(true);
  expect(server.connections[0]?.bufferedBytes).toBe(0);
});

test("a stream that is paused gets no more than its window", async () => {
  const server = await rig(listening(), { streamWindowBytes: 100_000 });
  const session = client(server);
  const request = post(session);
  request.on("error", () => {});
  await expect.poll(() => server.seen.length).toBe(1);
  const { stream, parts } = server.seen[0] ?? expect.fail();
  const got = (): number => parts.reduce((sum, part) => sum + part.length, 0);
  stream.pause();
  request.end(pattern(250_000));
  await expect.poll(got).toBe(100_000);
  // Others are not held up.
  const other = post(session);
  other.end(pattern(90_000));
  await expect.poll(() => server.seen[1]?.events).toEqual(["ended"]);
  expect(got()).toBe(100_000);
  stream.resume();
  await expect.poll(() => server.seen[0]?.events).toEqual(["ended"]);
  expect(Buffer.concat(parts).equals(pattern(250_000))).toBe(true);
});

test("going away: no new streams, the old ones end, then the connection does", async () => {
  const server = await rig(listening());
  const session = client(server);
  const request = post(session);
  request.end();
  await expect.poll(() => server.seen[0]?.events).toEqual(["ended"]);
  const goAways: number[] = [];
  session.on("goaway", (code, lastId) => void goAways.push(code, lastId));
  const [connection] = server.connections;
  connection?.goAway();
  connection?.goAway();
  await expect.poll(() => goAways).toEqual([0, 2 ** 31 - 1, 0, 1]);
  expect(connection?.openStreams).toBe(1);
  server.seen[0]?.stream.respond(HEAD, [pattern(100_000)], TRAILERS);
  expect((await answerTo(request)).body).toHaveLength(100_000);
  await connection?.closed;
});

test("an idle connection goes at once", async () => {
  const server = await rig();
  const session = client(server);
  await echoed(session, pattern(3));
  server.connections[0]?.goAway();
  await server.connections[0]?.closed;
  await expect.poll(() => session.closed).toBe(true);
});

const tlsFile = (name: string): Buffer => readFileSync(goldenPath(`fixtures/tls/${name}`));

test("over TLS, with a client that shows who it is", async () => {
  const ca = tlsFile("ca.pem");
  const server = await rig(
    echo(),
    {},
    {
      ca,
      cert: tlsFile("server.pem"),
      key: tlsFile("server-key.pem"),
      ALPNProtocols: ["h2"],
      requestCert: true,
    },
  );
  const identity = { cert: tlsFile("client.pem"), key: tlsFile("client-key.pem") };
  const known = client(server, { ca, ...identity }, "https");
  await Promise.all([1, 20_000, 2_000_000].map((bytes) => echoed(known, pattern(bytes))));
  expect(server.seen[0]?.stream.peer.certificateCommonName).toBe("client");
  expect(server.seen[0]?.head.scheme).toBe("https");
});
