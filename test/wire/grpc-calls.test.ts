/** Calls by grpc-js, over real sockets, of services that do what a test wants. */
import {
  Client,
  type ClientOptions,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { GrpcServer } from "../../src/grpc/grpc-server.ts";
import { Health, HealthBook } from "../../src/grpc/health.ts";
import type { Call, Service, StreamCall } from "../../src/grpc/service.ts";
import { Listener } from "../../src/server/listener.ts";

const MAX_BYTES = 4 * 1024 * 1024;

let lastCall: Call | undefined;
let aborted = 0;

const service: Service = {
  name: "test.Service",
  methods: {
    Echo: {
      kind: "unary",
      handle: (call, bytes, start, end) => call.reply(bytes.subarray(start, end)),
    },
    /** Fails with code and text that it is given. */
    Fail: {
      kind: "unary",
      handle: (call, bytes, start, end) =>
        call.fail(bytes[start] as number, Buffer.from(bytes.subarray(start + 1, end)).toString()),
    },
    Hang: {
      kind: "unary",
      handle: (call) => {
        lastCall = call;
        call.signal.addEventListener("abort", () => aborted++);
      },
    },
    Meta: {
      kind: "unary",
      handle: (call) => {
        const values = ["token", "x-bin", "none"].map((name) => call.metadata(name) ?? "-");
        call.reply(Buffer.from([...values, call.peer.remoteAddress].join("|"), "latin1"));
      },
    },
    /** As many messages as it is asked for, of so many bytes. */
    Count: {
      kind: "serverStream",
      handle: async (call, bytes, start) => {
        const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, 8);
        await count(call, view.readUInt32BE(0), view.readUInt32BE(4));
      },
    },
    FailLate: {
      kind: "serverStream",
      handle: (call) => {
        call.send(Buffer.from("1"));
        call.fail(14, "etcdserver: server stopped");
      },
    },
    Chat: {
      kind: "bidiStream",
      open: (call) => ({
        message: (bytes, start, end) => {
          call.send(Buffer.from("you said "), bytes.subarray(start, end));
        },
        halfClosed: () => call.end(),
        closed: () => {},
        drained: () => {},
      }),
    },
  },
};

let bufferedMax = 0;

async function count(call: StreamCall, messages: number, bytes: number): Promise<void> {
  lastCall = call;
  for (let i = 0; i < messages && !call.ended; i++) {
    const message = Buffer.alloc(bytes);
    message.writeUInt32BE(i);
    if (!call.send(message)) await call.drained();
    bufferedMax = Math.max(bufferedMax, call.bufferedBytes);
  }
  call.end();
}

const health = new HealthBook();
const server = new GrpcServer({
  services: [service, health.service],
  maxReceiveBytes: MAX_BYTES,
});
let listener: Listener;

beforeAll(async () => {
  listener = await Listener.open({
    address: { scheme: "http", host: "127.0.0.1", port: 0, address: "" },
    grpc: server,
  });
});

afterAll(() => listener.close(0));

function client(options: ClientOptions = {}): Client {
  const made = new Client(`127.0.0.1:${listener.port}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.use_local_subchannel_pool": 1,
    ...options,
  });
  onTestFinished(() => made.close());
  return made;
}

const same = (bytes: Buffer): Buffer => bytes;

type Outcome = { readonly error: ServiceError | null; readonly answer: Buffer | undefined };

function unary(
  by: Client,
  method: string,
  message: Uint8Array | string,
  options: { deadlineMs?: number; metadata?: Metadata; path?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    by.makeUnaryRequest(
      options.path ?? `/test.Service/${method}`,
      same,
      same,
      Buffer.from(message),
      options.metadata ?? new Metadata(),
      options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs },
      (error, answer) => resolve({ error, answer }),
    );
  });
}

describe("unary calls", () => {
  test("messages of all sizes, and many at once", async () => {
    const by = client();
    const sizes = [0, 1, 5, 1000, 16_383, 16_384, 16_385, 65_535, 200_000, 1_500_000, MAX_BYTES];
    for (const size of sizes) {
      const message = Buffer.alloc(size, size);
      const { answer } = await unary(by, "Echo", message);
      expect(answer?.equals(message)).toBe(true);
    }
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, i) => unary(by, "Echo", `message ${i}`)),
    );
    expect(answers.map(({ answer }) => answer?.toString())).toEqual(
      Array.from({ length: 500 }, (_, i) => `message ${i}`),
    );
  });

  test("a message that is too large", async () => {
    const by = client();
    const { error } = await unary(by, "Echo", Buffer.alloc(MAX_BYTES + 1));
    expect(error).toMatchObject({
      code: 8,
      details: `grpc: received message larger than max (${MAX_BYTES + 1} vs. ${MAX_BYTES})`,
    });
    expect((await unary(by, "Echo", "still here")).answer?.toString()).toBe("still here");
  });

  test("any status comes as it went", async () => {
    const by = client();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 16 }),
        fc.string({ unit: "binary", maxLength: 300 }),
        async (code, text) => {
          const sent = Buffer.from(text);
          const { error } = await unary(by, "Fail", Buffer.concat([Buffer.of(code), sent]));
          expect(error?.code).toBe(code);
          expect(error?.details).toBe(sent.toString());
        },
      ),
      { numRuns: 200 },
    );
  });

  test("what there is not", async () => {
    const by = client();
    const cases: [string, string][] = [
      ["/test.Service/Nope", "unknown method Nope for service test.Service"],
      ["/test.Nope/Echo", "unknown service test.Nope"],
      ["/nonsense", 'malformed method name: "/nonsense"'],
    ];
    for (const [path, details] of cases) {
      expect((await unary(by, "", "x", { path })).error).toMatchObject({ code: 12, details });
    }
  });

  test("compression that there is not", async () => {
    const by = client({ "grpc.default_compression_algorithm": 2 });
    expect((await unary(by, "Echo", Buffer.alloc(10_000))).error).toMatchObject({
      code: 12,
      details: 'grpc: Decompressor is not installed for grpc-encoding "gzip"',
    });
  });

  test("metadata, and who it is", async () => {
    const metadata = new Metadata();
    metadata.set("token", "abc");
    metadata.set("x-bin", Buffer.of(0, 255, 124));
    const { answer } = await unary(client(), "Meta", "", { metadata });
    expect(answer?.toString("latin1")).toMatch(/^abc\|\0\xff\|\|-\|127\.0\.0\.1:\d+$/);
  });

  test("deadlines: kept, and passed", async () => {
    const by = client();
    expect((await unary(by, "Echo", "x", { deadlineMs: 10_000 })).answer?.toString()).toBe("x");
    const before = aborted;
    const { error } = await unary(by, "Hang", "", { deadlineMs: 100 });
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    await vi.waitFor(() => expect(aborted).toBe(before + 1));
    expect(lastCall?.ended).toBe(true);
    expect(server.deadlines.size).toBe(0);
  });

  test("calls that are given up, one by one and with their connection", async () => {
    const by = client();
    const before = aborted;
    const call = by.makeUnaryRequest("/test.Service/Hang", same, same, Buffer.alloc(0), () => {});
    await vi.waitFor(() => expect(server.calls).toBe(1));
    call.cancel();
    await vi.waitFor(() => expect(aborted).toBe(before + 1));
    expect(server.calls).toBe(0);
    for (let i = 0; i < 10; i++) void unary(by, "Hang", "");
    await vi.waitFor(() => expect(server.calls).toBe(10));
    by.close();
    const count = server.counts.methods.find(({ method }) => method === "Hang");
    expect(count?.handled[1]).toBeGreaterThanOrEqual(1);
  });
});

describe("streams", () => {
  test("of responses, in their order", async () => {
    const stream = client().makeServerStreamRequest(
      "/test.Service/Count",
      same,
      same,
      Buffer.from([0, 0, 0x07, 0xd0, 0, 0, 1, 0]),
    );
    const seen: number[] = [];
    for await (const message of stream) seen.push((message as Buffer).readUInt32BE(0));
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  });

  test("that fail after some messages", async () => {
    const stream = client().makeServerStreamRequest(
      "/test.Service/FailLate",
      same,
      same,
      Buffer.alloc(0),
    );
    const seen: string[] = [];
    stream.on("data", (message: Buffer) => seen.push(message.toString()));
    const error = await new Promise<ServiceError>((resolve) => stream.on("error", resolve));
    expect(seen).toEqual(["1"]);
    expect(error).toMatchObject({ code: 14, details: "etcdserver: server stopped" });
  });

  test("both ways", async () => {
    const chat = client().makeBidiStreamRequest("/test.Service/Chat", same, same);
    const seen: string[] = [];
    chat.on("data", (message: Buffer) => seen.push(message.toString("latin1", 0, 12)));
    const ended = new Promise<void>((resolve) => chat.on("end", resolve));
    for (let i = 0; i < 100; i++) chat.write(Buffer.from(`${i}`));
    chat.write(Buffer.alloc(300_000, "y"));
    chat.end();
    await ended;
    expect(seen).toEqual([
      ...Array.from({ length: 100 }, (_, i) => `you said ${i}`),
      "you said yyy",
    ]);
  });

  test("a slow reader holds the sender back", async () => {
    const by = client();
    bufferedMax = 0;
    // 100 MB, which nobody reads at first.
    const stream = by.makeServerStreamRequest(
      "/test.Service/Count",
      same,
      same,
      Buffer.from([0, 0, 0x03, 0xe8, 0, 1, 0x86, 0xa0]),
    );
    stream.pause();
    await vi.waitFor(() => expect(bufferedMax).toBeGreaterThan(0), 5000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(lastCall?.ended).toBe(false);
    expect(bufferedMax).toBeLessThan(1_000_000);
    // Others do not suffer from it.
    expect((await unary(by, "Echo", "x")).answer?.toString()).toBe("x");
    let bytes = 0;
    for await (const message of stream) bytes += (message as Buffer).length;
    expect(bytes).toBe(100_000_000);
    expect(bufferedMax).toBeLessThan(1_000_000);
  });

  test("that are cancelled while the sender waits", async () => {
    const stream = client().makeServerStreamRequest(
      "/test.Service/Count",
      same,
      same,
      Buffer.from([0, 0, 0x03, 0xe8, 0, 1, 0x86, 0xa0]),
    );
    stream.on("error", () => {});
    stream.pause();
    await vi.waitFor(() => expect(server.streams).toBe(1));
    stream.cancel();
    await vi.waitFor(() => expect(server.streams).toBe(0));
    expect(lastCall?.ended).toBe(true);
  });
});

test("health, and what becomes of it", async () => {
  const by = client();
  const path = "/grpc.health.v1.Health/Check";
  expect((await unary(by, "", "", { path })).answer).toEqual(Buffer.of(8, 1));
  const watch = by.makeServerStreamRequest(
    "/grpc.health.v1.Health/Watch",
    same,
    same,
    Buffer.alloc(0),
  );
  watch.on("error", () => {});
  const seen: number[] = [];
  watch.on("data", (message: Buffer) => seen.push(message[1] as number));
  await vi.waitFor(() => expect(seen).toEqual([1]));
  health.set("", Health.notServing);
  await vi.waitFor(() => expect(seen).toEqual([1, 2]));
  watch.cancel();
});

test("the end: streams end, calls under way are answered, others are refused", async () => {
  const own = new GrpcServer({ services: [service], maxReceiveBytes: MAX_BYTES });
  const door = await Listener.open({
    address: { scheme: "http", host: "127.0.0.1", port: 0, address: "" },
    grpc: own,
  });
  const by = new Client(`127.0.0.1:${door.port}`, credentials.createInsecure());
  onTestFinished(() => by.close());
  const chat = by.makeBidiStreamRequest("/test.Service/Chat", same, same);
  const ended = new Promise<ServiceError>((resolve) => chat.on("error", resolve));
  chat.write(Buffer.from("hello"));
  const hanging = unary(by, "Hang", "");
  await vi.waitFor(() => expect(own.calls).toBe(2));
  own.drain();
  const closed = door.close(30_000);
  expect(await ended).toMatchObject({ code: 14, details: "etcdserver: server stopped" });
  lastCall?.fail(10, "in time");
  expect((await hanging).error).toMatchObject({ code: 10, details: "in time" });
  by.close();
  await closed;
  await own.idle();
  expect(own.calls).toBe(0);
});
