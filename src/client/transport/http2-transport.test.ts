/** Calls against servers that do well, badly, or nothing. */
import { getEventListeners } from "node:events";
import { connect as connectSocket, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import {
  answer,
  echo,
  GRPC_HEAD,
  HostilePeer,
  onWire,
  refuse,
} from "../../../test/support/hostile-peer.ts";
import { loopbackPorts } from "../../../test/support/loopback-ports.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { EtcdError, StrataError } from "../../base/errors.ts";
import { RpcError } from "../status.ts";
import { Http2Transport, type TransportOptions } from "./http2-transport.ts";

const READ = "/etcdserverpb.KV/Range";
const WRITE = "/etcdserverpb.KV/Put";
const hello = Buffer.from("hello");

const open: Http2Transport[] = [];
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close();
});

function client(
  endpoints: string | readonly string[],
  options: Partial<TransportOptions> = {},
): Http2Transport {
  const transport = new Http2Transport({
    random: () => 0,
    ...options,
    endpoints: typeof endpoints === "string" ? [endpoints] : endpoints,
  });
  open.push(transport);
  return transport;
}

async function failure(of: Promise<unknown>): Promise<unknown> {
  try {
    await of;
  } catch (error) {
    return error;
  }
  throw new Error("it went well");
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
  const seen: string[] = [];
  for await (const message of stream) seen.push(Buffer.from(message).toString());
  return seen;
}

async function deadEndpoint(): Promise<string> {
  const [port = 0] = await loopbackPorts(1);
  return `127.0.0.1:${port}`;
}

test("a call gets its answer, and goes out as gRPC says", async () => {
  await using peer = await HostilePeer.start(echo);
  const answered = await client(peer.endpoint).unary(WRITE, hello, {
    timeoutMs: 60_000,
    metadata: { hasleader: "true" },
  });
  expect(Buffer.from(answered).toString()).toBe("hello");
  expect(answered.constructor).toBe(Uint8Array);
  const [head] = peer.requests;
  expect(head).toMatchObject({
    ":method": "POST",
    ":scheme": "http",
    ":path": WRITE,
    ":authority": peer.endpoint,
    te: "trailers",
    "content-type": "application/grpc",
    hasleader: "true",
  });
  expect(Number.parseInt(String(head?.["grpc-timeout"]), 10)).toBeLessThanOrEqual(60_000_000);
  expect(head?.["grpc-timeout"]).toMatch(/^\d+u$/);
});

test("without a deadline there is no grpc-timeout", async () => {
  await using peer = await HostilePeer.start(echo);
  await client(` ${peer.endpoint} `).unary(READ, hello);
  expect(peer.requests[0]).not.toHaveProperty("grpc-timeout");
});

const IN_A_ROW = process.env.STRATA_FULL === "1" ? 10_000 : 1000;

test("thousands of calls one after the other, and 1,000 at a time, on one connection", async () => {
  await using peer = await HostilePeer.start(echo);
  const transport = client(peer.endpoint);
  const { signal } = new AbortController();
  for (let at = 0; at < IN_A_ROW; at++) {
    await transport.unary(WRITE, hello, { timeoutMs: 60_000, signal });
  }
  const texts = Array.from({ length: 1000 }, (_, at) => `call ${at}`);
  const answers = await Promise.all(
    texts.map((text) => transport.unary(WRITE, Buffer.from(text), { timeoutMs: 60_000, signal })),
  );
  expect(answers.map((bytes) => Buffer.from(bytes).toString())).toEqual(texts);
  expect(peer.connections).toBe(1);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("messages of many megabytes, both ways", async () => {
  await using peer = await HostilePeer.start(echo);
  const large = Buffer.alloc(40_000_000, "0123456789");
  const answered = await client(peer.endpoint, { maxSendBytes: large.length }).unary(WRITE, large);
  expect(Buffer.compare(answered, large)).toBe(0);
});

test("a request over the limit is not sent; an answer over it is not taken", async () => {
  await using peer = await HostilePeer.start(echo);
  const request = new Uint8Array(2_097_162);
  await expect(client(peer.endpoint).unary(WRITE, request)).rejects.toThrow(
    "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2097162 vs. 2097152)",
  );
  await expect(client(peer.endpoint).stream(WRITE).send(request)).rejects.toThrow(
    "trying to send message larger than max (2097162 vs. 2097152)",
  );
  expect(peer.requests).toEqual([]);
  await expect(
    client(peer.endpoint, { maxReceiveBytes: 10 }).unary(WRITE, Buffer.from("eleven byte")),
  ).rejects.toThrow(
    "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (11 vs. 10)",
  );
});

test("a stream carries messages both ways, until both sides are done", async () => {
  await using peer = await HostilePeer.start(echo);
  const stream = client(peer.endpoint).stream(WRITE);
  void stream.send(Buffer.from("a"));
  void stream.send(Buffer.from(""));
  const seen: string[] = [];
  for await (const message of stream) {
    seen.push(Buffer.from(message).toString());
    if (seen.length === 2) await stream.send(Buffer.from("b"));
    if (seen.length === 3) stream.end();
  }
  expect(seen).toEqual(["a", "", "b"]);
});

test("messages that came before a failure are delivered before it is thrown", async () => {
  await using peer = await HostilePeer.start((stream) =>
    answer(stream, [Buffer.from("a"), Buffer.from("b")], {
      "grpc-status": "11",
      "grpc-message": "etcdserver: mvcc: required revision has been compacted",
    }),
  );
  const seen: string[] = [];
  const stream = client(peer.endpoint).stream(WRITE);
  const error = await failure(
    (async () => {
      for await (const message of stream) seen.push(Buffer.from(message).toString());
    })(),
  );
  expect(seen).toEqual(["a", "b"]);
  expect(error).toMatchObject({ name: "EtcdError", code: "COMPACTED" });
});

/** What a server does, and what the call ends with. */
const ENDINGS: readonly [
  what: string,
  onStream: Parameters<typeof HostilePeer.start>[0],
  message: string,
][] = [
  [
    "nothing but trailers",
    (stream) => refuse(stream, 3, "etcdserver: key is not provided"),
    "etcdserver: key is not provided",
  ],
  [
    "a text that is not etcd's",
    (stream) => refuse(stream, 2, "50%25 of%20it, %E2%82%AC, 100% and %zz"),
    "rpc error: code = Unknown desc = 50% of it, €, 100% and %zz",
  ],
  [
    "a status that nobody knows",
    (stream) => refuse(stream, 99, "odd"),
    "rpc error: code = Code(99) desc = odd",
  ],
  [
    "details that we do not read",
    (stream) =>
      answer(stream, [hello], {
        "grpc-status": "9",
        "grpc-message": "x",
        "grpc-status-details-bin": "CAkSAXg",
      }),
    "rpc error: code = FailedPrecondition desc = x",
  ],
  [
    "a status that is no number",
    (stream) => answer(stream, [hello], { "grpc-status": "well" }),
    "rpc error: code = Internal desc = transport: malformed grpc-status: well",
  ],
  [
    "no trailers",
    (stream) => {
      stream.respond(GRPC_HEAD);
      stream.end(onWire(hello));
    },
    "rpc error: code = Internal desc = server closed the stream without sending trailers",
  ],
  [
    "trailers without a status",
    (stream) => answer(stream, [hello], { other: "1" }),
    "rpc error: code = Internal desc = server closed the stream without sending trailers",
  ],
  [
    "success without a message",
    (stream) => answer(stream, []),
    "rpc error: code = Internal desc = cardinality violation: received no response message from non-server-streaming RPC",
  ],
  [
    "half a message",
    (stream) => {
      stream.respond(GRPC_HEAD, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(onWire(hello).subarray(0, 7));
    },
    "rpc error: code = Internal desc = unexpected EOF",
  ],
  [
    "a compressed message",
    (stream) => {
      stream.respond({ ...GRPC_HEAD, "grpc-encoding": "gzip" });
      stream.end(onWire(hello, 1));
    },
    'rpc error: code = Unimplemented desc = grpc: Decompressor is not installed for grpc-encoding "gzip"',
  ],
  [
    "a compressed message that does not say how",
    (stream) => {
      stream.respond(GRPC_HEAD);
      stream.end(onWire(hello, 1));
    },
    "rpc error: code = Internal desc = grpc: compressed flag set with identity or empty encoding",
  ],
  [
    "what is no message",
    (stream) => {
      stream.respond(GRPC_HEAD);
      stream.end(Buffer.from("HTTP/1.1 200 OK"));
    },
    "rpc error: code = Internal desc = grpc: received unexpected payload format 72",
  ],
  [
    "a page",
    (stream) => {
      stream.respond({ ":status": 404, "content-type": "text/html" });
      stream.end("<html>");
    },
    'rpc error: code = Unimplemented desc = unexpected HTTP status code received from server: 404 (Not Found); transport: received unexpected content-type "text/html"',
  ],
  [
    "an error of HTTP",
    (stream) => stream.respond({ ...GRPC_HEAD, ":status": 403 }, { endStream: true }),
    "rpc error: code = PermissionDenied desc = unexpected HTTP status code received from server: 403 (Forbidden)",
  ],
  [
    "an error of HTTP with a status of gRPC",
    (stream) =>
      stream.respond(
        { ...GRPC_HEAD, ":status": 415, "grpc-status": "3", "grpc-message": "bad type" },
        { endStream: true },
      ),
    "rpc error: code = InvalidArgument desc = bad type",
  ],
  [
    "another type",
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/json" });
      stream.end("{}");
    },
    'rpc error: code = Unknown desc = transport: received unexpected content-type "application/json"',
  ],
];

test.each(ENDINGS)("a server that sends %s", async (_what, onStream, message) => {
  await using peer = await HostilePeer.start(onStream);
  const error = await failure(client(peer.endpoint).unary(WRITE, hello));
  expect(error).toBeInstanceOf(StrataError);
  expect((error as Error).message).toBe(message);
});

const RESETS: readonly [code: number, text: string][] = [
  [0, "Internal desc = server closed the stream without sending trailers"],
  [1, "Internal desc = stream terminated by RST_STREAM with error code: PROTOCOL_ERROR"],
  [2, "Internal desc = stream terminated by RST_STREAM with error code: INTERNAL_ERROR"],
  [3, "Internal desc = stream terminated by RST_STREAM with error code: FLOW_CONTROL_ERROR"],
  [8, "Canceled desc = stream terminated by RST_STREAM with error code: CANCEL"],
  [
    11,
    "ResourceExhausted desc = stream terminated by RST_STREAM with error code: ENHANCE_YOUR_CALM",
  ],
  [
    12,
    "PermissionDenied desc = stream terminated by RST_STREAM with error code: INADEQUATE_SECURITY",
  ],
];

test.each(RESETS)("a stream reset with code %d", async (code, text) => {
  await using peer = await HostilePeer.start((stream) => stream.close(code));
  await expect(client(peer.endpoint).unary(WRITE, hello)).rejects.toThrow(
    `rpc error: code = ${text}`,
  );
});

test("headers that HTTP/2 does not know are an error, not the end of the connection", async () => {
  await using peer = await HostilePeer.start(echo);
  const transport = client(peer.endpoint);
  await expect(transport.unary(WRITE, hello, { metadata: { "a b": "\n" } })).rejects.toThrow(
    RpcError,
  );
  await expect(all(transport.stream(WRITE, { metadata: { x: "\n" } }))).rejects.toThrow(RpcError);
  await transport.unary(WRITE, hello);
  expect(peer.connections).toBe(1);
});

// Refusals and retries.

test("what a server refuses to look at is sent again, a write, too", async () => {
  let refusals = 0;
  await using peer = await HostilePeer.start((stream) => {
    if (refusals++ < 3) stream.close(7);
    else echo(stream);
  });
  const transport = client(peer.endpoint);
  expect(Buffer.from(await transport.unary(WRITE, hello)).toString()).toBe("hello");
  refusals = 0;
  const stream = transport.stream(WRITE);
  await stream.send(Buffer.from("a"));
  await stream.send(Buffer.from("b"));
  stream.end();
  expect(await all(stream)).toEqual(["a", "b"]);
});

test("reads are tried again while the server is unavailable; writes are not", async () => {
  let asked = 0;
  await using peer = await HostilePeer.start((stream) => {
    if (++asked < 3) refuse(stream, 14, "etcdserver: no leader");
    else echo(stream);
  });
  const transport = client(peer.endpoint);
  expect(Buffer.from(await transport.unary(READ, hello)).toString()).toBe("hello");
  asked = 0;
  await expect(transport.unary(WRITE, hello)).rejects.toMatchObject({ code: "NO_LEADER" });
  expect(asked).toBe(1);
  await transport.unary(WRITE, hello, { idempotent: true });
  asked = 0;
  await expect(transport.unary(READ, hello, { idempotent: false })).rejects.toMatchObject({
    code: "NO_LEADER",
  });
});

test("a server that goes away is replaced; calls under way on it come to their end", async () => {
  let first = true;
  await using peer = await HostilePeer.start((stream) => {
    if (!first) {
      echo(stream);
      return;
    }
    first = false;
    stream.session?.goaway(0, stream.id);
    setTimeout(() => echo(stream), 50);
  });
  const transport = client(peer.endpoint);
  const slow = transport.unary(WRITE, hello);
  await new Promise((resolve) => setTimeout(resolve, 25));
  await transport.unary(WRITE, hello);
  expect(Buffer.from(await slow).toString()).toBe("hello");
  expect(peer.connections).toBe(2);
});

test("calls that a server which goes away has not seen are sent to the next one", async () => {
  await using peer = await HostilePeer.start((stream, _headers, { connections }) => {
    if (connections > 1) echo(stream);
    else if (stream.id === 5) {
      stream.session?.goaway(0, 1);
      stream.close(8);
    }
  });
  const transport = client(peer.endpoint);
  const [seen, ...unseen] = [1, 2, 3].map(() => transport.unary(WRITE, hello));
  const answers = await Promise.all(unseen);
  expect(answers.map((one) => Buffer.from(one).toString())).toEqual(["hello", "hello"]);
  expect(peer.connections).toBe(2);
  for (const socket of peer.sockets) socket.destroy();
  await expect(seen).rejects.toThrow("code = Unavailable");
});

// Connections.

test("a dead endpoint: the deadline, with the reason as its cause", async () => {
  const endpoint = await deadEndpoint();
  const startMs = performance.now();
  const error = await failure(client(endpoint).unary(READ, hello, { timeoutMs: 200 }));
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(199);
  expect(error).toMatchObject({
    code: "DEADLINE",
    message: "context deadline exceeded",
    cause: { code: "ECONNREFUSED" },
  });
  await expect(all(client(endpoint).stream(READ, { timeoutMs: 50 }))).rejects.toThrow(
    "context deadline exceeded",
  );
  for (const timeoutMs of [0, -1]) {
    await expect(client(endpoint).unary(READ, hello, { timeoutMs })).rejects.toThrow(
      "context deadline exceeded",
    );
  }
});

test.each(["nonsense", "127.0.0.1", "ftp://127.0.0.1:1", "127.0.0.1:99999", "[::1", ""])(
  "an endpoint that is none, %j, is a dead one",
  async (endpoint) => {
    const error = await failure(client(endpoint).unary(READ, hello, { timeoutMs: 30 }));
    expect(error).toMatchObject({ code: "DEADLINE", cause: expect.any(Error) });
  },
);

test("no endpoints at all are a mistake", () => {
  expect(() => client([])).toThrow("etcdclient: no available endpoints");
});

test("a server that speaks HTTP/1.1 or nothing is like a dead one", async () => {
  for (const greeting of ["HTTP/1.1 400 Bad Request\r\n\r\n", ""]) {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      if (greeting !== "") socket.end(greeting);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const error = await failure(
      client(`127.0.0.1:${port}`).unary(WRITE, hello, { timeoutMs: 100 }),
    );
    expect(error).toMatchObject({ code: "DEADLINE", cause: expect.any(Error) });
    server.close();
  }
});

test("without a deadline a call waits until there is a server", async () => {
  const [port = 0] = await loopbackPorts(1);
  const waits = client(`127.0.0.1:${port}`).unary(WRITE, hello);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await using _peer = await HostilePeer.start(echo, { listen: { port } });
  expect(Buffer.from(await waits).toString()).toBe("hello");
});

test("a signal ends the wait for a connection, a call, and a stream", async () => {
  const reason = new Error("enough");
  await using silent = await HostilePeer.start(() => undefined);
  for (const endpoint of [await deadEndpoint(), silent.endpoint]) {
    const transport = client(endpoint);
    for (const call of [
      (signal: AbortSignal) => transport.unary(READ, hello, { signal }),
      (signal: AbortSignal) => all(transport.stream(READ, { signal })),
    ]) {
      await expect(call(AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const called = call(controller.signal);
      setTimeout(() => controller.abort(reason), 30);
      await expect(called).rejects.toBe(reason);
    }
  }
});

test("a call that is given up is reset at the server", async () => {
  const codes: number[] = [];
  await using peer = await HostilePeer.start((stream) => {
    stream.on("close", () => codes.push(stream.rstCode));
    stream.respond(GRPC_HEAD);
    stream.write(onWire(hello));
  });
  const transport = client(peer.endpoint);
  await expect(transport.unary(READ, hello, { timeoutMs: 50 })).rejects.toThrow(
    "context deadline exceeded",
  );
  for await (const _message of transport.stream(READ)) break;
  const stream = transport.stream(READ);
  setTimeout(() => stream.cancel(), 20);
  expect(await all(stream)).toEqual(["hello"]);
  await expect.poll(() => codes).toEqual([8, 8, 8]);
});

test("when the last call that waits for a server is given up, nobody looks for one any more", async () => {
  const clock = new ManualClock();
  const transport = client(await deadEndpoint(), { clock });
  const stream = transport.stream(READ);
  const other = failure(transport.unary(READ, hello, { timeoutMs: 30 }));
  await expect.poll(() => clock.sleeping).toBe(1);
  stream.cancel();
  expect(await all(stream)).toEqual([]);
  await other;
  await clock.advance(10_000);
  expect(clock.sleeping).toBe(0);
});

test("one of two servers is killed: the next call goes to the other one", async () => {
  await using one = await HostilePeer.start(echo);
  await using two = await HostilePeer.start(echo);
  const transport = client([one.endpoint, two.endpoint]);
  await transport.unary(WRITE, hello);
  expect([one.requests.length, two.requests.length]).toEqual([1, 0]);
  one.kill();
  for (let at = 0; at < 20; at++) {
    await transport.unary(READ, hello, { timeoutMs: 10_000 });
  }
  expect(two.requests.length).toBe(20);
  expect(two.connections).toBe(1);
});

test("a server that dies in a call: Unavailable for a write, another server for a read", async () => {
  const die = (_: unknown, __: unknown, peer: HostilePeer): void => peer.kill();
  for (const [path, ends] of [
    [WRITE, "rpc error: code = Unavailable desc = transport is closing"],
    [READ, "hello"],
  ] as const) {
    await using dying = await HostilePeer.start(die);
    await using living = await HostilePeer.start(echo);
    const transport = client([dying.endpoint, living.endpoint]);
    const end = await transport.unary(path, hello).then(
      (bytes) => Buffer.from(bytes).toString(),
      (error: Error) => error.message,
    );
    expect(end).toBe(ends);
    expect(dying.requests.length).toBe(1);
  }
});

test("streams on a connection that is lost end with Unavailable", async () => {
  await using peer = await HostilePeer.start((stream) => {
    stream.respond(GRPC_HEAD);
    stream.write(onWire(hello));
  });
  const stream = client(peer.endpoint).stream(WRITE);
  const seen: string[] = [];
  const error = await failure(
    (async () => {
      for await (const message of stream) {
        seen.push(Buffer.from(message).toString());
        peer.kill();
      }
    })(),
  );
  expect(seen).toEqual(["hello"]);
  expect(error).toMatchObject({ grpcStatus: 14 });
  await stream.send(hello); // It is over, and nobody minds.
});

test("the first server does not answer at all: the second one is taken", async () => {
  const silent = createServer((socket) => socket.on("error", () => undefined));
  silent.listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as { port: number };
  await using living = await HostilePeer.start(echo);
  const transport = client([`127.0.0.1:${port}`, living.endpoint]);
  await transport.unary(WRITE, hello, { timeoutMs: 10_000 });
  expect(living.requests.length).toBe(1);
  await transport.close();
  silent.close();
});

test("a server that is started again is found again", async () => {
  const one = await HostilePeer.start(echo);
  const transport = client(one.endpoint);
  await transport.unary(WRITE, hello);
  const { port } = one;
  one.kill();
  await expect(transport.unary(READ, hello, { timeoutMs: 100 })).rejects.toThrow("deadline");
  await using _two = await HostilePeer.start(echo, { listen: { port } });
  await transport.unary(WRITE, hello, { timeoutMs: 10_000 });
});

test("an endpoint that is named is the one that is asked", async () => {
  await using one = await HostilePeer.start(echo);
  await using two = await HostilePeer.start(echo);
  const transport = client([one.endpoint, two.endpoint]);
  for (const { endpoint } of [two, one, two]) await transport.unary(WRITE, hello, { endpoint });
  expect([one.requests.length, two.requests.length]).toEqual([1, 2]);
  expect([one.connections, two.connections]).toEqual([1, 1]);
  two.kill();
  const { endpoint } = two;
  await expect(transport.unary(READ, hello, { endpoint: "", timeoutMs: 30 })).rejects.toThrow();
  await expect(transport.unary(READ, hello, { endpoint, timeoutMs: 100 })).rejects.toThrow(
    "context deadline exceeded",
  );
});

test("unix sockets, IPv6, and the port alone", async () => {
  const path = join(scratchFolder("transport"), "socket");
  await using unix = await HostilePeer.start(echo, { listen: { path } });
  await client(`unix://${path}`).unary(WRITE, hello);
  expect(unix.requests[0]?.[":authority"]).toBe("localhost");
  await using six = await HostilePeer.start(echo, { listen: { host: "::1" } });
  await client(`[::1]:${six.port}`).unary(WRITE, hello);
  await client(`http://[::1]:${six.port}/path`).unary(WRITE, hello);
  await using four = await HostilePeer.start(echo);
  await client(`:${four.port}`).unary(WRITE, hello, { timeoutMs: 10_000 });
  expect(four.requests[0]?.[":authority"]).toBe(`localhost:${four.port}`);
});

// Keep-alive.

test("a server that does not answer pings is given up: reads go to another one", async () => {
  await using dumb = await HostilePeer.start(() => undefined);
  const { dumbPort, stop } = await blackHole(dumb.port);
  await using living = await HostilePeer.start(echo);
  const transport = client([`127.0.0.1:${dumbPort}`, living.endpoint], {
    keepAliveTimeMs: 20,
    keepAliveTimeoutMs: 20,
  });
  const write = failure(transport.unary(WRITE, hello));
  const read = transport.unary(READ, hello);
  expect(await write).toMatchObject({
    message:
      "rpc error: code = Unavailable desc = keepalive ping failed to receive ACK within timeout",
  });
  expect(Buffer.from(await read).toString()).toBe("hello");
  stop();
});

/** Lets the beginning of a connection through, and nothing after the first request. */
async function blackHole(to: number): Promise<{ dumbPort: number; stop: () => void }> {
  const sockets: { destroy(): void }[] = [];
  const server = createServer((near) => {
    const far = connectSocket(to, "127.0.0.1");
    sockets.push(near, far);
    near.on("error", () => undefined);
    far.on("error", () => undefined);
    near.on("data", (bytes) => far.write(bytes));
    let isFirst = true;
    far.on("data", (bytes) => {
      if (isFirst) near.write(bytes);
      isFirst = false;
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  return {
    dumbPort: port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test("a server that only takes its time is asked, answers, and is waited for", async () => {
  let pings = 0;
  await using peer = await HostilePeer.start((stream) => {
    stream.session?.on("ping", () => pings++);
    setTimeout(() => echo(stream), 200);
  });
  const transport = client(peer.endpoint, { keepAliveTimeMs: 10, keepAliveTimeoutMs: 5000 });
  await transport.unary(WRITE, hello);
  // The next one would come after seconds only: servers count them.
  expect(pings).toBe(1);
});

// Slow ones.

test("a slow reader is waited for: the server cannot send without end", async () => {
  const message = onWire(Buffer.alloc(64 * 1024));
  let sent = 0;
  await using peer = await HostilePeer.start((stream) => {
    stream.respond(GRPC_HEAD, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const more = (): void => {
      while (sent < 1000) {
        sent++;
        if (!stream.write(message)) {
          stream.once("drain", more);
          return;
        }
      }
      stream.end();
    };
    more();
  });
  const stream = client(peer.endpoint).stream(READ);
  let seen = 0;
  for await (const _message of stream) {
    if (seen++ > 0) continue;
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(sent).toBeLessThan(200);
  }
  expect(seen).toBe(1000);
});

test("a server that does not read makes the sender wait", async () => {
  let go: () => void = () => undefined;
  await using peer = await HostilePeer.start((stream) => {
    go = () => echo(stream);
  });
  const transport = client(peer.endpoint);
  const stream = transport.stream(WRITE);
  const message = Buffer.alloc(64 * 1024);
  let sent = 0;
  const sends = (async () => {
    for (; sent < 300; sent++) await stream.send(message);
    stream.end();
  })();
  let before = -1;
  while (before !== sent || sent === 0) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(sent).toBeLessThan(100);
  go();
  expect((await all(stream)).length).toBe(300);
  await sends;
});

// The end.

test("close ends everything at once, and nothing begins after it", async () => {
  await using silent = await HostilePeer.start(() => undefined);
  const transport = client([silent.endpoint]);
  const calls = [
    transport.unary(READ, hello),
    transport.unary(WRITE, hello),
    all(transport.stream(READ)),
    transport.unary(READ, hello, { endpoint: await deadEndpoint() }),
  ];
  const ends = Promise.allSettled(calls);
  await expect.poll(() => silent.requests.length).toBe(3);
  await transport.close();
  for (const end of await ends) {
    expect(end).toMatchObject({
      status: "rejected",
      reason: {
        message: "rpc error: code = Canceled desc = grpc: the client connection is closing",
      },
    });
  }
  await expect(transport.unary(READ, hello)).rejects.toThrow("client connection is closing");
  await expect(all(transport.stream(READ))).rejects.toThrow("client connection is closing");
  await expect.poll(() => silent.sockets.size).toBe(0);
  await transport.close();
});

// Credentials.

function authServer(check: { token: string; fetched: number }) {
  return (
    stream: Parameters<Parameters<typeof HostilePeer.start>[0]>[0],
    headers: Readonly<Record<string, unknown>>,
  ) => {
    if (headers[":path"] === "/etcdserverpb.Auth/Authenticate") {
      check.fetched++;
      if (check.token === "") refuse(stream, 9, "etcdserver: authentication is not enabled");
      else if (check.token === "wrong") {
        refuse(stream, 3, "etcdserver: authentication failed, invalid user ID or password");
      } else {
        answer(stream, [
          Buffer.concat([Buffer.from([0x12, check.token.length]), Buffer.from(check.token)]),
        ]);
      }
    } else if ((headers.token ?? "") === check.token) echo(stream);
    else refuse(stream, 16, "etcdserver: invalid auth token");
  };
}

const credentials = { user: "root", password: "secret" };

test("a token is fetched once for all calls that wait, and anew when it is not taken any more", async () => {
  const check = { token: "one", fetched: 0 };
  await using peer = await HostilePeer.start(authServer(check));
  const transport = client(peer.endpoint, { credentials });
  await Promise.all([1, 2, 3].map(() => transport.unary(WRITE, hello)));
  await transport.authenticate();
  expect(check.fetched).toBe(1);
  check.token = "two";
  await transport.unary(WRITE, hello);
  expect(check.fetched).toBe(2);
  const stream = transport.stream(WRITE);
  stream.end();
  expect(await all(stream)).toEqual([]);
});

test("a token that is refused twice is an error", async () => {
  await using peer = await HostilePeer.start((stream, headers) => {
    if (headers[":path"] === WRITE) refuse(stream, 16, "etcdserver: invalid auth token");
    else answer(stream, [Buffer.from([0x12, 1, 0x78])]);
  });
  await expect(client(peer.endpoint, { credentials }).unary(WRITE, hello)).rejects.toMatchObject({
    code: "INVALID_AUTH_TOKEN",
  });
  expect(peer.requests.length).toBe(4);
});

test("a server without authentication gets no token; wrong credentials are told at once", async () => {
  const check = { token: "", fetched: 0 };
  await using peer = await HostilePeer.start(authServer(check));
  const transport = client(peer.endpoint, { credentials });
  await transport.unary(WRITE, hello);
  expect(peer.requests.at(-1)).not.toHaveProperty("token");
  check.token = "wrong";
  const wrong = client(peer.endpoint, { credentials });
  const error = await failure(wrong.authenticate({ timeoutMs: 5000 }));
  expect(error).toBeInstanceOf(EtcdError);
  expect(error).toMatchObject({ code: "AUTH_FAILED" });
  await expect(wrong.unary(WRITE, hello)).rejects.toMatchObject({ code: "AUTH_FAILED" });
});

test("authenticate is limited, and does nothing without credentials", async () => {
  const dead = await deadEndpoint();
  await client(dead).authenticate();
  await expect(client(dead, { credentials }).authenticate({ timeoutMs: 60 })).rejects.toMatchObject(
    { code: "DEADLINE", cause: { code: "ECONNREFUSED" } },
  );
});
