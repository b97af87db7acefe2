/** The server against streams that have no connection: every answer that does not need one. */
import { describe, expect, test, vi } from "vitest";
import { FakeStream, frame, request, requestHead } from "../../test/support/fake-stream.ts";
import { latin1, utf8 } from "../base/bytes.ts";
import { GrpcServer, type GrpcServerOptions } from "./grpc-server.ts";
import type { EndedCall } from "./server-call.ts";
import type { MessageListener, Service, StreamCall, UnaryCall } from "./service.ts";
import { Code, GrpcError } from "./status.ts";

let last: UnaryCall | StreamCall;
const listener = {
  message: vi.fn((_bytes: Uint8Array, _start: number, _end: number) => {}),
  halfClosed: vi.fn(),
  closed: vi.fn(),
  drained: vi.fn(),
} satisfies MessageListener;

const service: Service = {
  name: "etcdserverpb.KV",
  methods: {
    Put: {
      kind: "unary",
      handle: (call, bytes, start, end) => call.reply(utf8("<"), bytes.subarray(start, end)),
    },
    Empty: { kind: "unary", handle: (call) => call.reply() },
    Hang: {
      kind: "unary",
      handle: (call) => {
        last = call;
      },
    },
    Throw: {
      kind: "unary",
      handle: () => {
        throw new Error("no way");
      },
    },
    Reject: { kind: "unary", handle: () => Promise.reject(new GrpcError(11, "too far")) },
    List: {
      kind: "serverStream",
      handle: (call, bytes, start, end) => {
        last = call;
        call.send(bytes.subarray(start, end));
        call.send(utf8("2"), utf8("3"));
        call.end();
      },
    },
    Nothing: { kind: "serverStream", handle: (call) => call.end() },
    Chat: {
      kind: "bidiStream",
      open: (call) => {
        last = call;
        return listener;
      },
    },
    Refuse: {
      kind: "bidiStream",
      open: (call) => {
        call.fail(Code.permissionDenied, "not you");
        return listener;
      },
    },
  },
};

function serve(options: Partial<GrpcServerOptions> = {}): GrpcServer {
  vi.clearAllMocks();
  return new GrpcServer({ services: [service], maxReceiveBytes: 1000, ...options });
}

const PUT = "/etcdserverpb.KV/Put";

describe("a unary call", () => {
  test("is answered with head, message and trailers at once", () => {
    const { stream } = request(serve().onRequest, PUT, frame("abc"));
    expect(stream.head).toEqual([
      [":status", "200"],
      ["content-type", "application/grpc"],
    ]);
    expect(stream.body).toBe("\0\0\0\0\x04<abc");
    expect(stream.trailers).toEqual([["grpc-status", "0"]]);
  });

  test("has an empty answer that is a message, too", () => {
    const { stream } = request(serve().onRequest, "/etcdserverpb.KV/Empty", frame(""));
    expect(stream.body).toBe("\0\0\0\0\0");
    expect(stream.status).toBe(0);
  });

  test("may come in any pieces", () => {
    const bytes = frame("hello");
    const { stream } = request(
      serve().onRequest,
      PUT,
      ...[...bytes].map((byte) => Uint8Array.of(byte)),
    );
    expect(stream.body.slice(5)).toBe("<hello");
  });

  test("needs exactly one message", () => {
    const { onRequest } = serve();
    expect(request(onRequest, PUT).stream).toMatchObject({
      status: 13,
      message: "cardinality violation: received no request message from non-client-streaming RPC",
    });
    const two = Buffer.concat([frame("a"), frame("b")]);
    expect(request(onRequest, PUT, two).stream).toMatchObject({
      status: 13,
      message:
        "cardinality violation: received multiple request messages for non-client-streaming RPC",
    });
    expect(request(onRequest, PUT, frame("a"), frame("b")).stream.status).toBe(13);
    expect(request(onRequest, PUT, frame("abc").subarray(0, 6)).stream).toMatchObject({
      status: 13,
      message: "unexpected EOF",
    });
  });

  test("that throws or rejects has failed", async () => {
    const { onRequest } = serve();
    expect(request(onRequest, "/etcdserverpb.KV/Throw", frame("")).stream).toMatchObject({
      status: 2,
      message: "no way",
    });
    const { stream } = request(onRequest, "/etcdserverpb.KV/Reject", frame(""));
    await vi.waitFor(() => expect(stream.closed).toBe(true));
    expect(stream).toMatchObject({ status: 11, message: "too far" });
    const named = serve({ statusOf: () => ({ code: 5, message: "lost" }) });
    expect(request(named.onRequest, "/etcdserverpb.KV/Throw", frame("")).stream).toMatchObject({
      status: 5,
      message: "lost",
    });
  });

  test("that was cancelled tells by its signal, and an answer goes nowhere", () => {
    const server = serve();
    const { stream, listener: its } = request(server.onRequest, "/etcdserverpb.KV/Hang", frame(""));
    const { signal } = last;
    expect(signal.aborted).toBe(false);
    its.cancelled();
    expect(signal.aborted).toBe(true);
    expect(last.ended).toBe(true);
    (last as UnaryCall).reply(utf8("x"));
    last.fail(2, "y");
    expect(stream.head).toBeUndefined();
    expect(server.calls).toBe(0);
    expect(server.counts.methods.find(({ method }) => method === "Hang")?.handled[1]).toBe(1);
  });

  test("past its deadline fails by itself", async () => {
    const server = serve();
    const head = requestHead("/etcdserverpb.KV/Hang", [["grpc-timeout", "30m"]]);
    const { stream } = request(server.onRequest, head, frame(""));
    expect(last.deadlineMs).toBeGreaterThan(performance.now());
    await vi.waitFor(() => expect(stream.closed).toBe(true), 5000);
    expect(stream).toMatchObject({ status: 4, message: "context deadline exceeded" });
    expect(last.signal.aborted).toBe(true);
    expect(server.deadlines.size).toBe(0);
  });

  test("that is answered leaves no deadline behind, and no abort", () => {
    const server = serve();
    const head = requestHead("/etcdserverpb.KV/Hang", [["grpc-timeout", "5S"]]);
    request(server.onRequest, head, frame(""));
    expect(server.deadlines.size).toBe(1);
    (last as UnaryCall).reply();
    expect(server.deadlines.size).toBe(0);
    expect(last.signal.aborted).toBe(false);
  });
});

describe("a stream", () => {
  test("of responses", () => {
    const { stream } = request(serve().onRequest, "/etcdserverpb.KV/List", frame("1"));
    expect(stream.body).toBe("\0\0\0\0\x011\0\0\0\0\x0223");
    expect(stream.status).toBe(0);
    const none = request(serve().onRequest, "/etcdserverpb.KV/Nothing", frame("1")).stream;
    expect(none.status).toBe(0);
    expect(none.trailers).toBeUndefined();
    expect(request(serve().onRequest, "/etcdserverpb.KV/List").stream.status).toBe(13);
  });

  test("both ways: messages as they come, half-closed, closed once", () => {
    const server = serve();
    const stream = new FakeStream();
    const its = server.onRequest(stream, requestHead("/etcdserverpb.KV/Chat"));
    const bytes = Buffer.concat([frame("a"), frame(""), frame("bc")]);
    its.data(bytes, 0, 9);
    its.data(bytes, 9, bytes.length);
    expect(listener.message.mock.calls.map(([all, from, to]) => latin1(all, from, to))).toEqual([
      "a",
      "",
      "bc",
    ]);
    const call = last as StreamCall;
    expect(call.send(utf8("x"))).toBe(true);
    call.pause();
    expect(stream.paused).toBe(true);
    call.resume();
    its.ended();
    expect(listener.halfClosed).toHaveBeenCalledOnce();
    expect(listener.closed).not.toHaveBeenCalled();
    call.end();
    expect(listener.closed).toHaveBeenCalledOnce();
    expect(call.send(utf8("y"))).toBe(false);
    expect(stream.body).toBe("\0\0\0\0\x01x");
    expect(server.streams).toBe(0);
  });

  test("waits for a slow reader", async () => {
    const stream = new FakeStream();
    const its = serve().onRequest(stream, requestHead("/etcdserverpb.KV/Chat"));
    const call = last as StreamCall;
    await call.drained();
    stream.room = false;
    expect(call.send(utf8("x"))).toBe(false);
    let room = false;
    const waiting = call.drained().then(() => {
      room = true;
    });
    await Promise.resolve();
    expect(room).toBe(false);
    its.drained();
    await waiting;
    expect(listener.drained).toHaveBeenCalledOnce();
    call.send(utf8("y"));
    const second = call.drained();
    its.cancelled();
    await second;
    expect(listener.closed).toHaveBeenCalledOnce();
  });

  test("that is refused while it is opened is told to be closed", () => {
    const { stream } = request(serve().onRequest, "/etcdserverpb.KV/Refuse", frame("x"));
    expect(stream).toMatchObject({ status: 7, message: "not you" });
    expect(listener.closed).toHaveBeenCalledOnce();
    expect(listener.message).not.toHaveBeenCalled();
  });

  test("a listener that throws fails the call", () => {
    const server = serve();
    listener.message.mockImplementationOnce(() => {
      throw new GrpcError(3, "what?");
    });
    const { stream } = request(server.onRequest, "/etcdserverpb.KV/Chat", frame("x"));
    expect(stream).toMatchObject({ status: 3, message: "what?" });
    expect(listener.closed).toHaveBeenCalledOnce();
  });
});

describe("what is refused", () => {
  const cases: readonly [
    what: string,
    head: ReturnType<typeof requestHead>,
    http: string,
    code: number,
    text: string,
  ][] = [
    ["service", requestHead("/foo.Bar/Baz"), "200", 12, "unknown service foo.Bar"],
    [
      "method",
      requestHead("/etcdserverpb.KV/Nope"),
      "200",
      12,
      "unknown method Nope for service etcdserverpb.KV",
    ],
    ["path", requestHead("/nothing"), "200", 12, 'malformed method name: "/nothing"'],
    ["bare path", requestHead("x/y"), "200", 12, 'malformed method name: "x/y"'],
    [
      "method of HTTP",
      requestHead(PUT, [], "GET"),
      "405",
      13,
      'Received a HEADERS frame with :method "GET" which should be POST',
    ],
    [
      "timeout",
      requestHead(PUT, [["grpc-timeout", "soon"]]),
      "400",
      13,
      'malformed grpc-timeout: strconv.ParseUint: parsing "soo": invalid syntax',
    ],
    ["no time", requestHead(PUT, [["grpc-timeout", "0m"]]), "200", 4, "context deadline exceeded"],
    [
      "binary metadata",
      requestHead(PUT, [["x-bin", "a=b"]]),
      "400",
      13,
      'malformed binary metadata "a=b" in header "x-bin": illegal base64 data at input byte 1',
    ],
    [
      "encoding",
      requestHead(PUT, [["grpc-encoding", "gzip"]]),
      "200",
      12,
      'grpc: Decompressor is not installed for grpc-encoding "gzip"',
    ],
  ];
  test.each(cases)("%s", (_what, head, http, status, message) => {
    const { stream } = request(serve().onRequest, head, frame("x"));
    expect(stream.field(":status")).toBe(http);
    expect(stream).toMatchObject({ status, message, trailers: undefined, body: "" });
  });

  test.each([
    ["application/json", 3],
    ["application/grpcx", 3],
    ["", 3],
    ["application/grpc+proto", 0],
    ["application/grpc;charset=utf-8", 0],
    ["application/grpc+json", 0],
  ])("content type %j", (type, status) => {
    const head = { ...requestHead(PUT), fields: [["content-type", type] as const] };
    const { stream } = request(serve().onRequest, head, frame("x"));
    expect(stream.status).toBe(status);
    expect(stream.field(":status")).toBe(status === 0 ? "200" : "415");
    if (status !== 0) expect(stream.message).toBe(`invalid gRPC request content-type "${type}"`);
  });

  test("what is not gRPC's may go elsewhere", () => {
    const others = vi.fn(() => ({ data() {}, ended() {}, drained() {}, cancelled() {} }));
    const onRequest = serve().listener(others);
    request(onRequest, { ...requestHead("/health", [], "GET"), fields: [] });
    request(onRequest, PUT, frame("x"));
    expect(others).toHaveBeenCalledOnce();
  });

  test("messages larger than allowed, whole or announced", () => {
    const { onRequest } = serve();
    const whole = request(onRequest, PUT, frame(Buffer.alloc(1001))).stream;
    expect(whole).toMatchObject({
      status: 8,
      message: "grpc: received message larger than max (1001 vs. 1000)",
    });
    expect(request(onRequest, PUT, frame(Buffer.alloc(1000))).stream.status).toBe(0);
    expect(request(onRequest, PUT, Uint8Array.of(0, 255, 255, 255, 255)).stream.message).toBe(
      "grpc: received message larger than max (4294967295 vs. 1000)",
    );
  });

  test("compressed messages, and flags that mean nothing", () => {
    const { onRequest } = serve();
    expect(request(onRequest, PUT, frame("x", 1)).stream).toMatchObject({
      status: 13,
      message: "grpc: compressed flag set with identity or empty encoding",
    });
    expect(request(onRequest, PUT, frame("x", 7)).stream).toMatchObject({
      status: 13,
      message: "grpc: received unexpected payload format 7",
    });
  });

  test("answers larger than allowed", () => {
    const { onRequest } = serve({ maxSendBytes: 3 });
    expect(request(onRequest, PUT, frame("abc")).stream).toMatchObject({
      status: 8,
      message: "trying to send message larger than max (4 vs. 3)",
    });
  });

  test("more than may be unfinished on one connection", () => {
    const { onRequest } = serve({ maxReceiveBytes: 100_000, maxUnfinishedBytes: 120_000 });
    const one = new FakeStream();
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const stream = new FakeStream();
      Object.assign(stream, { peer: one.peer });
      const its = onRequest(stream, requestHead(PUT));
      const part = frame(Buffer.alloc(40_000)).subarray(0, 30_000);
      its.data(part, 0, part.length);
      statuses.push(stream.status);
      if (i === 3) its.cancelled();
    }
    expect(statuses).toEqual([-1, -1, -1, 8, 8]);
  });
});

test("metadata: the first value, bytes of -bin headers", () => {
  request(
    serve().onRequest,
    requestHead("/etcdserverpb.KV/Hang", [
      ["token", "abc"],
      ["token", "def"],
      ["x-bin", "AP8"],
      ["y-bin", "AP8="],
    ]),
    frame(""),
  );
  expect(last.metadata("token")).toBe("abc");
  expect(last.metadata("x-bin")).toBe("\x00\xff");
  expect(last.metadata("y-bin")).toBe("\x00\xff");
  expect(last.metadata("none")).toBeUndefined();
});

test("counts", () => {
  const ended: EndedCall[] = [];
  const server = serve({ onCallEnd: (call) => ended.push(call) });
  const version = [["client-api-version", "3.4"]] as const;
  const head = requestHead(PUT, version);
  request(server.onRequest, head, frame("abc"));
  request(server.onRequest, head, frame("d"));
  request(server.onRequest, PUT, Buffer.alloc(9, 1));
  request(server.onRequest, "/etcdserverpb.KV/List", frame("1"));
  request(server.onRequest, "/etcdserverpb.KV/Throw", frame(""));
  const of = (name: string): unknown => server.counts.methods.find(({ method }) => method === name);
  expect(of("Put")).toMatchObject({ started: 2, messagesReceived: 2, messagesSent: 2 });
  expect(of("List")).toMatchObject({ started: 1, messagesReceived: 1, messagesSent: 2 });
  expect(of("Throw")).toMatchObject({ started: 1, messagesSent: 0 });
  expect(server.counts.receivedBytes).toBe(5);
  expect(server.counts.sentBytes).toBe(9);
  expect(
    server.counts.clients.map(({ type, clientApiVersion, requests }) => [
      type,
      clientApiVersion,
      requests,
    ]),
  ).toEqual([
    ["unary", "3.4", 2],
    ["unary", "unknown", 1],
    ["stream", "unknown", 1],
  ]);
  expect(
    ended.map(({ code, requestBytes, responseBytes }) => [code, requestBytes, responseBytes]),
  ).toEqual([
    [0, 3, 4],
    [0, 1, 2],
    [0, 1, 3],
    [2, 0, 0],
  ]);
  expect(ended[0]?.request).toEqual(Buffer.from("abc"));
  expect(ended[0]?.startedMs).toBeGreaterThan(0);
});

test("drain: no new calls, streams end, unary calls may finish", async () => {
  const server = serve();
  const chat = request(server.onRequest, "/etcdserverpb.KV/Chat").stream;
  const unary = request(server.onRequest, "/etcdserverpb.KV/Hang", frame("")).stream;
  server.drain();
  server.drain();
  expect(chat).toMatchObject({ status: 14, message: "etcdserver: server stopped" });
  expect(listener.closed).toHaveBeenCalledOnce();
  expect(request(server.onRequest, PUT, frame("x")).stream.status).toBe(14);
  let idle = false;
  const waiting = server.idle().then(() => {
    idle = true;
  });
  await Promise.resolve();
  expect(idle).toBe(false);
  (last as UnaryCall).reply();
  await waiting;
  expect(unary.status).toBe(0);
  await server.idle();
});
