/**
 * Peers that mean ill, each in a way that has brought servers down: none costs more than its bounds, and another
 * client is served meanwhile.
 */
import { expect, onTestFinished, test } from "vitest";
import {
  frameBytes,
  type Http2Peer,
  numberBytes,
  POST,
  plainBlock,
  settingsBytes,
} from "../../test/support/http2-peer.ts";
import {
  echo,
  HEAD,
  type Listening,
  listening,
  type Rig,
  rig,
  TRAILERS,
} from "../../test/support/http2-rig.ts";
import { ErrorCode } from "./error-code.ts";
import type { HeaderList } from "./exchange.ts";
import { Flag, FrameType, Setting } from "./frame.ts";
import { type Http2Options, UNREAD_BACKLOG_BYTES } from "./limits.ts";

const MIB = 2 ** 20;

interface Attack extends Rig {
  readonly attacker: Http2Peer;
  /** Asks as another client: it must be answered. */
  bystander(): Promise<void>;
}

async function attack(
  listener: Listening = echo(),
  options: Partial<Http2Options> = {},
  settings: readonly (readonly [number, number])[] = [],
): Promise<Attack> {
  const server = await rig(listener, { tickMs: 20, ...options });
  const attacker = server.peer().greet(settings);
  await attacker.until(({ type }) => type === FrameType.settings);
  const other = server.peer().greet();
  let id = -1;
  const bystander = async (): Promise<void> => {
    id += 2;
    other.request(id, [[":method", "GET"], ...POST.slice(1), ["x-bystander", "1"]]);
    await other.until(
      (frame) => frame.type === FrameType.headers && frame.id === id,
      "the bystander's response",
    );
  };
  await bystander();
  return { ...server, attacker, bystander };
}

/** Many copies of a frame, in writes of a size that sockets like, until the peer has had enough. */
async function flood(peer: Http2Peer, frame: Buffer, times: number): Promise<void> {
  const perWrite = Math.max(1, Math.floor(32_768 / frame.length));
  const block = Buffer.concat(Array.from({ length: perWrite }, () => frame));
  for (let sent = 0; sent < times && !peer.closed && peer.socket.writable; sent += perWrite) {
    if (peer.socket.write(block)) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        peer.socket.off("drain", go).off("close", go);
        resolve();
      };
      peer.socket.on("drain", go).on("close", go);
    });
  }
}

const GREEDY = { idleFrameBurst: 2000, idleFramesPerSecond: 0 };

test.each<[string, Buffer, boolean]>([
  ["PING", frameBytes(FrameType.ping, 0, 0, Buffer.alloc(8)), false],
  ["acknowledgements of no PING", frameBytes(FrameType.ping, 1, 0, Buffer.alloc(8)), false],
  ["SETTINGS", settingsBytes([[Setting.initialWindowSize, 70_000]]), false],
  ["empty SETTINGS", settingsBytes([]), false],
  ["acknowledgements of no SETTINGS", frameBytes(FrameType.settings, 1, 0), false],
  ["PRIORITY", frameBytes(FrameType.priority, 0, 5, Buffer.from([0, 0, 0, 0, 1])), false],
  ["WINDOW_UPDATE of the connection", numberBytes(FrameType.windowUpdate, 0, 1), false],
  ["WINDOW_UPDATE of a stream", numberBytes(FrameType.windowUpdate, 1, 1), true],
  ["empty DATA", frameBytes(FrameType.data, 0, 1), true],
  ["DATA that is all padding", frameBytes(FrameType.data, Flag.padded, 1, Buffer.alloc(1)), true],
  ["unknown frames", frameBytes(99, 0, 0, Buffer.alloc(5)), false],
  ["GOAWAY", frameBytes(FrameType.goAway, 0, 0, Buffer.alloc(8)), false],
])("a flood of %s", async (_, frame, onStream) => {
  const { attacker, bystander, connections } = await attack(listening(respondToBystander), {
    ...GREEDY,
    keepaliveMinTimeMs: 0,
  });
  if (onStream) attacker.request(1, POST, Flag.endHeaders);
  const flooding = flood(attacker, frame, 1_000_000);
  await bystander();
  expect((await attacker.goAway()).code).toBe(ErrorCode.enhanceYourCalm);
  await connections[0]?.closed;
  await flooding;
  expect(connections[0]?.openStreams).toBe(0);
  expect(connections[0]?.bufferedBytes).toBe(0);
  await bystander();
});

function respondToBystander({
  stream,
  head,
}: {
  readonly stream: Listening["seen"][number]["stream"];
  readonly head: Listening["seen"][number]["head"];
}): void {
  if (head.fields.some(([name]) => name === "x-bystander")) stream.respond(HEAD, [], TRAILERS);
}

test("frames that are of use are never too many", async () => {
  const { attacker, bystander } = await attack(echo(), GREEDY);
  attacker.send(numberBytes(FrameType.windowUpdate, 0, 2 ** 30));
  for (let id = 1; id < 6000; id += 2) {
    attacker.send(
      attacker.headersBytes(id, POST, Flag.endHeaders),
      frameBytes(FrameType.data, Flag.endStream, id, Buffer.alloc(10)),
      numberBytes(FrameType.windowUpdate, 0, 10),
      numberBytes(FrameType.windowUpdate, id, 10),
    );
  }
  await attacker.ended(5999);
  await bystander();
  expect(attacker.closed).toBe(false);
});

test("rapid resets", async () => {
  const { attacker, bystander, connections, seen } = await attack(listening(respondToBystander), {
    resetBurst: 200,
    resetsPerSecond: 0,
  });
  const rounds: Buffer[] = [];
  for (let id = 1; id < 2000; id += 2) {
    rounds.push(attacker.headersBytes(id), numberBytes(FrameType.rstStream, id, ErrorCode.cancel));
  }
  attacker.send(...rounds);
  expect((await attacker.goAway()).code).toBe(ErrorCode.enhanceYourCalm);
  await connections[0]?.closed;
  expect(seen.length).toBeLessThan(250);
  const cancelled = seen.filter(({ events }) => events.includes("cancelled"));
  expect(cancelled.length).toBe(201);
  await bystander();
});

test("resets that it makes us send count as well", async () => {
  const { attacker, bystander, connections } = await attack(listening(respondToBystander), {
    resetBurst: 200,
    resetsPerSecond: 0,
  });
  for (let id = 1; id < 2000; id += 2) {
    attacker.send(attacker.headersBytes(id), numberBytes(FrameType.windowUpdate, id, 0));
  }
  expect((await attacker.goAway()).code).toBe(ErrorCode.enhanceYourCalm);
  await connections[0]?.closed;
  await bystander();
});

test("resets between answers are no attack", async () => {
  const { attacker, bystander } = await attack(echo(), { resetBurst: 20, resetsPerSecond: 0 });
  for (let id = 1; id < 2000; id += 4) {
    attacker.send(
      attacker.headersBytes(id),
      attacker.headersBytes(id + 2, POST, Flag.endHeaders),
      numberBytes(FrameType.rstStream, id + 2, ErrorCode.cancel),
    );
  }
  await attacker.ended(1997);
  await bystander();
  expect(attacker.closed).toBe(false);
});

test("more streams than are allowed", async () => {
  const { attacker, bystander, connections, seen } = await attack(listening(respondToBystander), {
    maxConcurrentStreams: 10,
    resetBurst: 100,
    resetsPerSecond: 0,
  });
  for (let id = 1; id < 2000; id += 2) attacker.request(id);
  expect(await attacker.reset(21)).toBe(ErrorCode.refusedStream);
  expect((await attacker.goAway()).code).toBe(ErrorCode.enhanceYourCalm);
  await connections[0]?.closed;
  expect(seen.filter(({ head }) => head.fields.length === 1)).toHaveLength(10);
  await bystander();
});

test("more streams than a connection may hold, of which nobody told", async () => {
  const { attacker, bystander, connections, seen } = await attack(listening(respondToBystander), {
    maxOpenStreams: 10,
    resetBurst: 100,
    resetsPerSecond: 0,
  });
  for (let id = 1; id < 2000; id += 2) attacker.request(id);
  expect(await attacker.reset(21)).toBe(ErrorCode.refusedStream);
  expect((await attacker.goAway()).code).toBe(ErrorCode.enhanceYourCalm);
  await connections[0]?.closed;
  expect(seen.filter(({ head }) => head.fields.length === 1)).toHaveLength(10);
  await bystander();
});

test("CONTINUATION without an end", async () => {
  const { attacker, bystander, connections } = await attack();
  attacker.send(frameBytes(FrameType.headers, Flag.endStream, 1, plainBlock(POST)));
  await flood(attacker, frameBytes(FrameType.continuation, 0, 1), 100_000);
  expect((await attacker.goAway()).code).toBe(ErrorCode.enhanceYourCalm);
  await connections[0]?.closed;
  await bystander();
});

test("a header block beyond bounds", async () => {
  const { attacker, bystander, connections } = await attack(echo(), {
    maxHeaderBlockBytes: 40_000,
  });
  attacker.send(frameBytes(FrameType.headers, 0, 1, Buffer.alloc(16_000)));
  for (let i = 0; i < 3; i++) {
    attacker.send(frameBytes(FrameType.continuation, 0, 1, Buffer.alloc(16_000)));
  }
  expect((await attacker.goAway()).code).toBe(ErrorCode.enhanceYourCalm);
  await connections[0]?.closed;
  await bystander();
});

test("a header block that is begun and left", async () => {
  const { attacker, bystander, connections } = await attack(echo(), { prefaceTimeoutMs: 100 });
  attacker.send(frameBytes(FrameType.headers, 0, 1, Buffer.alloc(100)));
  expect((await attacker.goAway()).code).toBe(ErrorCode.enhanceYourCalm);
  await connections[0]?.closed;
  await bystander();
});

test("a bomb: a small block that says a large field again and again", async () => {
  const { attacker, bystander, seen } = await attack();
  const large: HeaderList = [["x-large", "y".repeat(4000)]];
  const first = Buffer.concat([
    plainBlock(POST),
    Buffer.from([0x40]),
    plainBlock(large).subarray(1),
  ]);
  attacker.send(frameBytes(FrameType.headers, 5, 1, first));
  const bomb = Buffer.concat([plainBlock(POST), Buffer.alloc(15_000, 0xbe)]);
  const before = process.memoryUsage().heapUsed;
  for (let id = 3; id < 103; id += 2) attacker.send(frameBytes(FrameType.headers, 5, id, bomb));
  expect(await attacker.reset(101)).toBe(ErrorCode.frameSizeError);
  // Sixty megabytes a block is what it says.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * MIB);
  expect(seen.filter(({ head }) => head.path === "/a/b")).toHaveLength(2);
  attacker.request(103);
  await attacker.ended(103);
  await bystander();
});

test("header blocks that always differ leave nothing behind", async () => {
  const { attacker, bystander, seen } = await attack();
  let id = -1;
  const ask = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      id += 2;
      const block = plainBlock([...POST, ["grpc-timeout", `${i}u`]]);
      attacker.send(frameBytes(FrameType.headers, 5, id, block));
    }
    await attacker.ended(id);
    attacker.heard.length = 0;
    seen.length = 0;
  };
  await ask(1000);
  const before = process.memoryUsage();
  for (let round = 0; round < 10; round++) await ask(2000);
  expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(32 * MIB);
  await bystander();
});

test("requests without a preface, or half of one, are not waited for", async () => {
  const server = await rig(echo(), { tickMs: 20, prefaceTimeoutMs: 100 });
  const silent = server.peer();
  const slow = server.peer();
  slow.send(Buffer.from("PRI * HTTP/2.0\r\n", "latin1"));
  expect((await silent.goAway()).code).toBe(ErrorCode.settingsTimeout);
  expect((await slow.goAway()).code).toBe(ErrorCode.settingsTimeout);
  await Promise.all(server.connections.map(({ closed }) => closed));
});

test("windows of zero: what waits is bounded, then streams are refused, then it is over", async () => {
  const answer = Buffer.alloc(100_000);
  const { attacker, bystander, connections } = await attack(
    listening((request) => {
      if (request.head.method === "GET") respondToBystander(request);
      else request.stream.respond(HEAD, [answer], TRAILERS);
    }),
    { maxBufferedBytes: MIB, stallTimeoutMs: 300 },
    [[Setting.initialWindowSize, 0]],
  );
  for (let id = 1; id < 200; id += 2) attacker.request(id);
  expect(await attacker.reset(199)).toBe(ErrorCode.refusedStream);
  expect(connections[0]?.bufferedBytes).toBeLessThan(MIB + 200_000);
  expect(connections[0]?.bufferedBytes).toBeGreaterThan(MIB);
  await bystander();
  await connections[0]?.closed;
  expect(connections[0]?.bufferedBytes).toBe(0);
  expect(connections[0]?.openStreams).toBe(0);
  await bystander();
});

test("answers beyond the hard bound are not kept", async () => {
  const answer = Buffer.alloc(MIB);
  const { attacker, bystander, connections, seen } = await attack(
    listening(respondToBystander),
    { maxBufferedBytes: MIB, maxBufferedBytesHard: 4 * MIB },
    [[Setting.initialWindowSize, 0]],
  );
  for (let id = 1; id < 40; id += 2) attacker.request(id);
  await attacker.ping();
  for (const { stream, head } of seen) {
    if (head.method === "POST") stream.respond(HEAD, [answer], TRAILERS);
  }
  expect(connections[0]?.bufferedBytes).toBeLessThan(5 * MIB);
  expect(await attacker.reset(39)).toBe(ErrorCode.enhanceYourCalm);
  await bystander();
});

test("a peer that asks and does not read", async () => {
  const answer = Buffer.alloc(16_000);
  const { attacker, bystander, connections, seen } = await attack(
    listening((request) => request.stream.respond(HEAD, [answer], TRAILERS)),
    { maxBufferedBytes: 4 * MIB, stallTimeoutMs: 500 },
    [[Setting.initialWindowSize, 2 ** 31 - 1]],
  );
  attacker.send(numberBytes(FrameType.windowUpdate, 0, 2 ** 30));
  attacker.socket.pause();
  const asking = (async () => {
    for (let id = 1; id < 40_000 && !attacker.closed && attacker.socket.writable; id += 2) {
      attacker.send(attacker.headersBytes(id, POST));
      if (id % 100 === 1) await new Promise(setImmediate);
      expect(connections[0]?.bufferedBytes).toBeLessThan(6 * MIB);
    }
  })();
  await bystander();
  await connections[0]?.closed;
  await asking;
  expect(seen.length).toBeLessThan(20_000);
  expect(connections[0]?.bufferedBytes).toBe(0);
  await bystander();
});

test("acknowledgements to a peer that does not read are bounded", async () => {
  const { attacker, bystander, connections } = await attack(echo(), {
    idleFrameBurst: 1e9,
    keepaliveMinTimeMs: 0,
    stallTimeoutMs: 500,
  });
  attacker.socket.pause();
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, connections[0]?.bufferedBytes ?? 0);
  }, 1);
  onTestFinished(() => clearInterval(timer));
  const flooding = flood(attacker, frameBytes(FrameType.ping, 0, 0, Buffer.alloc(8)), 4_000_000);
  await bystander();
  await connections[0]?.closed;
  await flooding;
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(3 * UNREAD_BACKLOG_BYTES);
  await bystander();
});

test("bodies that never end are not gathered without bound", async () => {
  const { attacker, bystander, connections } = await attack(listening(respondToBystander), {
    maxUnansweredBytes: 2 * MIB,
  });
  const body = Buffer.alloc(16_384);
  for (let id = 1; id < 20; id += 2) {
    attacker.request(id, POST, Flag.endHeaders);
    for (let i = 0; i < 30; i++) attacker.send(frameBytes(FrameType.data, 0, id, body));
  }
  expect(await attacker.reset(9)).toBe(ErrorCode.enhanceYourCalm);
  expect(await attacker.reset(19)).toBe(ErrorCode.enhanceYourCalm);
  expect(connections[0]?.openStreams).toBe(4);
  await bystander();
});

test("pings that come too often: two are forgiven", async () => {
  const { attacker, bystander, connections } = await attack();
  attacker.request(1, POST, Flag.endHeaders);
  for (let i = 0; i < 4; i++) {
    attacker.send(frameBytes(FrameType.ping, 0, 0, Buffer.alloc(8, i)));
  }
  const goAway = await attacker.goAway();
  expect(goAway).toEqual({ lastId: 1, code: ErrorCode.enhanceYourCalm, debug: "too_many_pings" });
  expect(attacker.heard.filter(({ type }) => type === FrameType.ping)).toHaveLength(4);
  await connections[0]?.closed;
  await bystander();
});

test("pings between answers are a measurement", async () => {
  const { attacker } = await attack();
  for (let id = 1; id < 40; id += 2) {
    attacker.request(id);
    await attacker.ended(id);
    await attacker.ping();
  }
  expect(attacker.closed).toBe(false);
});

test("pings while a large answer goes out window by window are a measurement, too", async () => {
  const part = new Uint8Array(1_000_000);
  const large = listening(({ stream }) => stream.respond(HEAD, [part], TRAILERS));
  const { attacker } = await attack(large);
  attacker.request(1);
  await attacker.until(({ type }) => type === FrameType.data);
  for (let sent = 65_535; sent < part.length; sent += 60_000) {
    await attacker.ping();
    attacker.send(
      numberBytes(FrameType.windowUpdate, 0, 60_000),
      numberBytes(FrameType.windowUpdate, 1, 60_000),
    );
  }
  await attacker.ended(1);
  expect(attacker.bodyOf(1)).toHaveLength(part.length);
  expect(attacker.closed).toBe(false);
});

test("a peer that falls silent is asked, and given up when it does not answer", async () => {
  const { attacker, connections } = await attack(echo(), {
    keepaliveIntervalMs: 100,
    keepaliveTimeoutMs: 200,
  });
  await attacker.until(({ type, flags }) => type === FrameType.ping && flags === 0);
  await attacker.untilClosed();
  await connections[0]?.closed;
});

test("a peer that answers is not", async () => {
  const { attacker } = await attack(echo(), {
    keepaliveIntervalMs: 60,
    keepaliveTimeoutMs: 60_000,
  });
  for (let answered = 1; answered <= 3; answered++) {
    await attacker.until(
      ({ type, flags }) =>
        type === FrameType.ping &&
        flags === 0 &&
        attacker.heard.filter((frame) => frame.type === FrameType.ping).length >= answered,
    );
    const ping = attacker.heard.filter(({ type }) => type === FrameType.ping).at(-1);
    attacker.send(frameBytes(FrameType.ping, Flag.ack, 0, ping?.payload));
  }
  expect(attacker.closed).toBe(false);
});

test("garbage ends its connection and no other", async () => {
  const { attacker, bystander, connections } = await attack();
  attacker.send(Buffer.alloc(100_000, 0xa5));
  expect((await attacker.goAway()).code).toBe(ErrorCode.frameSizeError);
  await connections[0]?.closed;
  await bystander();
});
