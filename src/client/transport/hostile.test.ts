/** Whatever a server does, a call ends with an error that says so, and nothing is left behind. */
import { createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { echo, GRPC_HEAD, HostilePeer, onWire } from "../../../test/support/hostile-peer.ts";
import { rng } from "../../../test/support/rng.ts";
import { StrataError } from "../../base/errors.ts";
import { Http2Transport, type TransportOptions } from "./http2-transport.ts";

const WRITE = "/etcdserverpb.KV/Put";
const hello = Buffer.from("hello");

const SEEDS = process.env.STRATA_FULL === "1" ? 300 : 20;

const open: Http2Transport[] = [];
const stopped: (() => void)[] = [];
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close();
  for (const stop of stopped.splice(0)) stop();
});

function client(endpoint: string, options: Partial<TransportOptions> = {}): Http2Transport {
  const transport = new Http2Transport({ random: () => 0, ...options, endpoints: [endpoint] });
  open.push(transport);
  return transport;
}

/** A server of bytes. @returns its endpoint */
async function bytesServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    onSocket(socket);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  stopped.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const SETTINGS = frame(4, 0, 0, new Uint8Array(0));
const SETTINGS_ACK = frame(4, 1, 0, new Uint8Array(0));
/** `:status: 200` */
const OK_HEAD = Buffer.from([0x88]);

async function errorOf(endpoint: string): Promise<StrataError> {
  // When a server breaks the protocol, Node may stop reading and say nothing: the ping that is not answered does.
  const transport = client(endpoint, { keepAliveTimeMs: 20, keepAliveTimeoutMs: 20 });
  const error = await transport.unary(WRITE, hello, { timeoutMs: 30_000 }).then(
    () => undefined,
    (why: unknown) => why,
  );
  expect(error).toBeInstanceOf(StrataError);
  await transport.close();
  return error as StrataError;
}

/** Sends this when a request has come. */
function afterRequest(bytes: Buffer, thenEnds = false) {
  return (socket: Socket): void => {
    socket.write(SETTINGS);
    socket.once("data", () => {
      setTimeout(() => {
        socket.write(Buffer.concat([SETTINGS_ACK, bytes]));
        if (thenEnds) socket.end();
      }, 10);
    });
  };
}

test.each([
  ["a frame that may not be there", frame(0, 0, 0, hello)],
  ["headers that cannot be unpacked", frame(1, 4, 1, Buffer.alloc(20, 0xff))],
  [
    "more data than the window allows",
    Buffer.concat([frame(1, 4, 1, OK_HEAD), frame(0, 0, 1, Buffer.alloc(17_000))]),
  ],
  ["a window that overflows", frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
  ["a promise nobody asked for", frame(5, 4, 1, Buffer.from([0, 0, 0, 2, 0x88]))],
  ["HTTP/1.1", Buffer.from("HTTP/1.1 500 no\r\n\r\n")],
  ["nothing but headers, and hangs up", Buffer.alloc(0)],
])("%s", async (_what, bytes) => {
  const error = await errorOf(await bytesServer(afterRequest(bytes, true)));
  expect(error).toMatchObject({ code: "RPC" });
});

test("bytes by chance", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = rng(seed);
    const bytes = Buffer.concat(
      Array.from({ length: 5 }, () =>
        random.bool()
          ? Buffer.from(random.bytes(random.int(60)))
          : frame(random.int(11), random.int(256), random.int(4), random.bytes(random.int(40))),
      ),
    );
    const error = await errorOf(await bytesServer(afterRequest(bytes, true)));
    expect(error.code, `seed ${seed}`).toBe("RPC");
  }
});

test("a connection that goes away because of an error", async () => {
  await using peer = await HostilePeer.start((stream) => stream.session?.goaway(11, stream.id));
  await expect(client(peer.endpoint).unary(WRITE, hello)).rejects.toMatchObject({
    grpcStatus: 14,
  });
});

test("a response that is cut in the middle", async () => {
  await using peer = await HostilePeer.start((stream, _headers, { sockets }) => {
    stream.respond(GRPC_HEAD);
    stream.write(onWire(Buffer.alloc(100_000)).subarray(0, 50_000));
    setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, 20);
  });
  await expect(client(peer.endpoint).unary(WRITE, hello)).rejects.toMatchObject({ grpcStatus: 14 });
});

test("a server that takes one call at a time, or none", async () => {
  await using peer = await HostilePeer.start((stream) => {
    setTimeout(() => echo(stream), 5);
  });
  peer.onSession = (session) => session.settings({ maxConcurrentStreams: 1 });
  const transport = client(peer.endpoint);
  await Promise.all(Array.from({ length: 20 }, () => transport.unary(WRITE, hello)));
  peer.onSession = (session) => session.settings({ maxConcurrentStreams: 0 });
  const refused = client(peer.endpoint).unary(WRITE, hello, { timeoutMs: 100 });
  await expect(refused).rejects.toMatchObject({ code: "DEADLINE" });
});

test("a server that gives no window", async () => {
  await using peer = await HostilePeer.start(echo);
  peer.onSession = (session) => session.settings({ initialWindowSize: 0 });
  const transport = client(peer.endpoint);
  await expect(transport.unary(WRITE, hello, { timeoutMs: 100 })).rejects.toMatchObject({
    code: "DEADLINE",
  });
  const stream = transport.stream(WRITE, { timeoutMs: 100 });
  for (let at = 0; at < 10; at++) await stream.send(new Uint8Array(100_000));
  await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "DEADLINE" });
});

test("an answer before the question is whole", async () => {
  await using peer = await HostilePeer.start((stream) => {
    stream.respond(
      { ...GRPC_HEAD, "grpc-status": "8", "grpc-message": "too much" },
      { endStream: true },
    );
  });
  const transport = client(peer.endpoint, { maxSendBytes: 2 ** 30 });
  await expect(transport.unary(WRITE, new Uint8Array(30_000_000))).rejects.toThrow("too much");
  const stream = transport.stream(WRITE);
  await stream.send(new Uint8Array(10_000_000));
  await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow("too much");
  await stream.send(new Uint8Array(10_000_000));
  stream.end();
  expect(peer.connections).toBe(1);
});
