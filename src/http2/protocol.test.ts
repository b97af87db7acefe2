/** What a client may say, in whatever pieces it comes, and what it may not. h2spec says more of it, end to end. */
import { expect, test } from "vitest";
import {
  frameBytes,
  type Http2Peer,
  numberBytes,
  POST,
  plainBlock,
  settingsBytes,
} from "../../test/support/http2-peer.ts";
import { echo, HEAD, listening, pair, TRAILERS } from "../../test/support/http2-rig.ts";
import { ErrorCode } from "./error-code.ts";
import type { HeaderList } from "./exchange.ts";
import { Flag, FrameType, PREFACE, Setting } from "./frame.ts";

const BODY = Buffer.from("0123456789");

/** A conversation with something of everything. */
function conversation(peer: Http2Peer): Buffer {
  const padded = Buffer.concat([Buffer.from([3]), BODY, Buffer.alloc(3)]);
  const priority = Buffer.from([0, 0, 0, 0, 9]);
  const block = plainBlock([...POST, ["x-long", "y".repeat(200)]]);
  return Buffer.concat([
    Buffer.from(PREFACE, "latin1"),
    settingsBytes([
      [Setting.enablePush, 0],
      [99, 5],
    ]),
    frameBytes(FrameType.settings, Flag.ack, 0),
    peer.headersBytes(1),
    peer.headersBytes(3, POST, Flag.endHeaders),
    frameBytes(FrameType.data, 0, 3, BODY),
    frameBytes(FrameType.data, Flag.padded, 3, padded),
    frameBytes(77, 0xff, 3, BODY),
    frameBytes(FrameType.data, Flag.endStream, 3),
    frameBytes(FrameType.priority, 0, 9, priority),
    frameBytes(
      FrameType.headers,
      Flag.padded | Flag.priority,
      5,
      Buffer.concat([Buffer.from([2]), priority, block.subarray(0, 20), Buffer.alloc(2)]),
    ),
    frameBytes(FrameType.continuation, 0, 5, block.subarray(20, 100)),
    frameBytes(FrameType.continuation, 0, 5),
    frameBytes(FrameType.continuation, Flag.endHeaders, 5, block.subarray(100)),
    frameBytes(FrameType.data, 0, 5, BODY),
    peer.headersBytes(5, [["x-trailer", "1"]]),
    numberBytes(FrameType.windowUpdate, 0, 1000),
    frameBytes(FrameType.ping, 0, 0, Buffer.from("12345678")),
  ]);
}

async function checkConversation(send: (bytes: Buffer, peer: Http2Peer) => void): Promise<void> {
  const { connection, peer, seen } = pair();
  send(conversation(peer), peer);
  await peer.until(({ type, flags }) => type === FrameType.ping && flags === Flag.ack);
  expect(seen.map(({ head, parts }) => [head.path, Buffer.concat(parts).toString()])).toEqual([
    ["/a/b", ""],
    ["/a/b", `${BODY}${BODY}`],
    ["/a/b", `${BODY}`],
  ]);
  expect(seen[2]?.head.fields).toEqual([
    ["te", "trailers"],
    ["x-long", "y".repeat(200)],
  ]);
  expect(peer.bodyOf(3).toString()).toBe(`${BODY}${BODY}`);
  expect(peer.bodyOf(5).toString()).toBe(`${BODY}`);
  expect(peer.headerLists()).toEqual(
    [1, 3, 5].flatMap((id) => [
      { id, fields: HEAD },
      { id, fields: TRAILERS },
    ]),
  );
  expect(connection.openStreams).toBe(0);
  connection.destroy();
}

test("a conversation, split in two at every byte", async () => {
  const { length } = conversation(pair().peer);
  expect(length).toBeGreaterThan(500);
  for (let at = 0; at <= length; at++) {
    await checkConversation((bytes, peer) => {
      peer.socket.write(bytes.subarray(0, at));
      peer.socket.write(bytes.subarray(at));
    });
  }
});

test.each([1, 2, 3, 7, 10, 64])("a conversation in pieces of %i bytes", async (size) => {
  await checkConversation((bytes, peer) => {
    for (let at = 0; at < bytes.length; at += size)
      peer.socket.write(bytes.subarray(at, at + size));
  });
});

const withField = (...fields: HeaderList): HeaderList => [...POST, ...fields];
const without = (name: string): HeaderList => POST.filter(([each]) => each !== name);

test.each<[string, HeaderList]>([
  ["no method", without(":method")],
  ["no scheme", without(":scheme")],
  ["no path", without(":path")],
  ["an empty path", [...without(":path"), [":path", ""]]],
  ["two paths", [[":path", "/"], ...POST]],
  ["an unknown pseudo-header", [[":other", "x"], ...POST]],
  ["a response's pseudo-header", [[":status", "200"], ...POST]],
  ["a pseudo-header behind a header", [["x", "y"], ...POST]],
  ["upper case", withField(["X-Upper", "x"])],
  ["a space in a name", withField(["x y", "x"])],
  ["an empty name", withField(["", "x"])],
  ["a line feed in a value", withField(["x", "a\nb"])],
  ["a zero in a value", withField(["x", "a\0b"])],
  ["a blank before a value", withField(["x", " a"])],
  ["a blank behind a value", withField(["x", "a\t"])],
  ["connection", withField(["connection", "close"])],
  ["transfer-encoding", withField(["transfer-encoding", "chunked"])],
  ["te other than trailers", [...without("te"), ["te", "gzip"]]],
  ["a length that is no number", withField(["content-length", "1x"])],
  ["two lengths", withField(["content-length", "0"], ["content-length", "1"])],
  ["a length without a body", withField(["content-length", "1"])],
  ["CONNECT with a path", [[":method", "CONNECT"], ...without(":method")]],
])("%s: the stream is reset, and the next is served", async (_, fields) => {
  const { connection, peer, seen } = pair();
  peer.greet();
  peer.request(1, fields);
  peer.request(3);
  expect(await peer.reset(1)).toBe(ErrorCode.protocolError);
  await peer.ended(3);
  expect(seen).toHaveLength(1);
  expect(connection.openStreams).toBe(0);
  connection.destroy();
});

test.each<[string, HeaderList]>([
  ["host instead of :authority", [...without(":authority"), ["host", "here"]]],
  ["both", [...POST, ["host", "there"]]],
])("%s", async (_, fields) => {
  const { connection, peer, seen } = pair();
  peer.greet().request(1, fields);
  await peer.ended(1);
  expect(seen[0]?.head.authority).toBe("here");
  connection.destroy();
});

test.each([
  ["shorter", 10, 9],
  ["longer", 10, 11],
])("a body %s than its length", async (_, length, bytes) => {
  const { connection, peer, seen } = pair();
  peer.greet().request(1, withField(["content-length", `${length}`]), Flag.endHeaders);
  peer.send(frameBytes(FrameType.data, Flag.endStream, 1, Buffer.alloc(bytes)));
  expect(await peer.reset(1)).toBe(ErrorCode.protocolError);
  expect(seen[0]?.events).toEqual(["cancelled"]);
  connection.destroy();
});

test("a body as long as its length", async () => {
  const { connection, peer } = pair();
  peer.greet().request(1, withField(["content-length", "10"]), Flag.endHeaders);
  peer.send(frameBytes(FrameType.data, 0, 1, BODY), frameBytes(FrameType.data, Flag.endStream, 1));
  await peer.ended(1);
  expect(peer.bodyOf(1).equals(BODY)).toBe(true);
  connection.destroy();
});

test.each<[string, Buffer, ErrorCode]>([
  ["DATA on no stream", frameBytes(FrameType.data, 0, 0, BODY), ErrorCode.protocolError],
  ["DATA on an idle stream", frameBytes(FrameType.data, 0, 5, BODY), ErrorCode.protocolError],
  [
    "padding longer than its frame",
    frameBytes(FrameType.data, Flag.padded, 1, Buffer.from([5, 1])),
    ErrorCode.protocolError,
  ],
  [
    "padding without a length",
    frameBytes(FrameType.data, Flag.padded, 1),
    ErrorCode.frameSizeError,
  ],
  [
    "HEADERS on an even stream",
    frameBytes(FrameType.headers, 5, 2, plainBlock(POST)),
    ErrorCode.protocolError,
  ],
  [
    "HEADERS that are all padding",
    frameBytes(FrameType.headers, Flag.padded | 5, 5, Buffer.from([200, 1, 2])),
    ErrorCode.protocolError,
  ],
  [
    "a bad header block",
    frameBytes(FrameType.headers, 5, 5, Buffer.from([0x80])),
    ErrorCode.compressionError,
  ],
  [
    "CONTINUATION of nothing",
    frameBytes(FrameType.continuation, 4, 1, BODY),
    ErrorCode.protocolError,
  ],
  [
    "something within a header block",
    Buffer.concat([
      frameBytes(FrameType.headers, 1, 5),
      frameBytes(FrameType.ping, 0, 0, Buffer.alloc(8)),
    ]),
    ErrorCode.protocolError,
  ],
  [
    "PUSH_PROMISE",
    frameBytes(FrameType.pushPromise, 4, 1, Buffer.alloc(4)),
    ErrorCode.protocolError,
  ],
  ["a short PING", frameBytes(FrameType.ping, 0, 0, Buffer.alloc(7)), ErrorCode.frameSizeError],
  ["PING on a stream", frameBytes(FrameType.ping, 0, 1, Buffer.alloc(8)), ErrorCode.protocolError],
  ["a short GOAWAY", frameBytes(FrameType.goAway, 0, 0, Buffer.alloc(7)), ErrorCode.frameSizeError],
  ["RST_STREAM of an idle stream", numberBytes(FrameType.rstStream, 5, 8), ErrorCode.protocolError],
  [
    "a long RST_STREAM",
    frameBytes(FrameType.rstStream, 0, 1, Buffer.alloc(5)),
    ErrorCode.frameSizeError,
  ],
  ["SETTINGS on a stream", frameBytes(FrameType.settings, 0, 1), ErrorCode.protocolError],
  [
    "SETTINGS of odd length",
    frameBytes(FrameType.settings, 0, 0, Buffer.alloc(5)),
    ErrorCode.frameSizeError,
  ],
  [
    "an acknowledgement that says something",
    frameBytes(FrameType.settings, 1, 0, Buffer.alloc(6)),
    ErrorCode.frameSizeError,
  ],
  [
    "a window too large to be",
    settingsBytes([[Setting.initialWindowSize, 2 ** 31]]),
    ErrorCode.flowControlError,
  ],
  [
    "frames too short to be",
    settingsBytes([[Setting.maxFrameSize, 16_383]]),
    ErrorCode.protocolError,
  ],
  [
    "a window that overflows",
    numberBytes(FrameType.windowUpdate, 0, 2 ** 31 - 1),
    ErrorCode.flowControlError,
  ],
  ["no more window", numberBytes(FrameType.windowUpdate, 0, 0), ErrorCode.protocolError],
  [
    "a window of an idle stream",
    numberBytes(FrameType.windowUpdate, 5, 1),
    ErrorCode.protocolError,
  ],
  [
    "a frame too long",
    frameBytes(FrameType.data, 0, 1, Buffer.alloc(16_385)),
    ErrorCode.frameSizeError,
  ],
  [
    "an unknown frame too long",
    frameBytes(99, 0, 1, Buffer.alloc(16_385)),
    ErrorCode.frameSizeError,
  ],
])("%s ends the connection", async (_, bytes, code) => {
  const { connection, peer, seen } = pair(listening());
  peer.greet().request(1, POST, Flag.endHeaders);
  peer.send(bytes);
  peer.request(7);
  expect(await peer.goAway()).toEqual({ lastId: 1, code, debug: "" });
  await peer.untilClosed();
  await connection.closed;
  expect(seen).toHaveLength(1);
  expect(seen[0]?.events).toEqual(["cancelled"]);
  expect(connection.openStreams).toBe(0);
});

test.each([
  ["HTTP/1.1", "GET / HTTP/1.1\r\nhost: here\r\n\r\n"],
  ["almost the preface", PREFACE.replace("SM", "SN")],
  [
    "something before SETTINGS",
    `${PREFACE}${frameBytes(FrameType.ping, 0, 0, Buffer.alloc(8)).toString("latin1")}`,
  ],
])("%s is no beginning", async (_, text) => {
  const { connection, peer, seen } = pair();
  peer.send(Buffer.from(text, "latin1"));
  expect((await peer.goAway()).code).toBe(ErrorCode.protocolError);
  await connection.closed;
  expect(seen).toEqual([]);
});

test("frames for a stream that we have reset are passed over; its windows are paid", async () => {
  const { connection, peer, seen } = pair(
    listening(({ stream }) => stream.respond(HEAD, [], TRAILERS)),
    { connectionWindowBytes: 65_535 },
  );
  peer.greet().request(1, POST, Flag.endHeaders);
  await peer.ping();
  seen[0]?.stream.reset(ErrorCode.cancel);
  for (let i = 0; i < 10; i++) peer.send(frameBytes(FrameType.data, 0, 1, Buffer.alloc(16_000)));
  peer.send(peer.headersBytes(1, TRAILERS), numberBytes(FrameType.windowUpdate, 1, 5));
  peer.request(3);
  await peer.ended(3);
  const resets = peer.heard.filter(({ type }) => type === FrameType.rstStream);
  expect(resets).toHaveLength(1);
  const granted = peer.heard.filter(({ type }) => type === FrameType.windowUpdate);
  expect(granted.length).toBeGreaterThanOrEqual(2);
  expect(granted.every(({ id }) => id === 0)).toBe(true);
  connection.destroy();
});

test("more than the window is an error of the stream, or of all", async () => {
  const { connection, peer } = pair(listening(), {
    streamWindowBytes: 10_000,
    connectionWindowBytes: 100_000,
  });
  peer.greet();
  await peer.until(({ type }) => type === FrameType.settings);
  peer.send(frameBytes(FrameType.settings, Flag.ack, 0));
  peer.request(1, POST, Flag.endHeaders);
  peer.send(frameBytes(FrameType.data, 0, 1, Buffer.alloc(10_001)));
  expect(await peer.reset(1)).toBe(ErrorCode.flowControlError);
  connection.destroy();

  const other = pair(listening(), { streamWindowBytes: 2 ** 20, connectionWindowBytes: 65_535 });
  other.peer.greet().request(1, POST, Flag.endHeaders);
  await other.peer.ping();
  other.seen[0]?.stream.pause();
  for (let i = 0; i < 100; i++) {
    other.peer.send(frameBytes(FrameType.data, 0, 1, Buffer.alloc(16_384)));
  }
  // The connection's window is granted again as we read, so it is the stream's that ends.
  expect(await other.peer.reset(1)).toBe(ErrorCode.flowControlError);
  other.connection.destroy();
});

test("a smaller header table of the peer's is kept to", async () => {
  const { connection, peer } = pair();
  peer.greet();
  peer.request(1);
  await peer.ended(1);
  peer.send(settingsBytes([[Setting.headerTableSize, 0]]));
  for (const id of [3, 5, 7]) {
    peer.request(id);
    await peer.ended(id);
  }
  const lists = peer.headerLists();
  expect(lists).toHaveLength(8);
  for (const { fields } of lists) expect([HEAD, TRAILERS]).toContainEqual(fields);
  connection.destroy();
});

test("what was read before the connection was ours is part of it", async () => {
  const { serveHttp2 } = await import("./server-connection.ts");
  const { duplexPair } = await import("../../test/support/duplex-pair.ts");
  const { Http2Peer } = await import("../../test/support/http2-peer.ts");
  const { onRequest, seen } = echo();
  const [ours, theirs] = duplexPair();
  const peer = new Http2Peer(theirs);
  const bytes = Buffer.concat([
    Buffer.from(PREFACE, "latin1"),
    settingsBytes([]),
    peer.headersBytes(1),
  ]);
  const connection = serveHttp2(ours, bytes.subarray(0, 60), {}, onRequest);
  peer.send(bytes.subarray(60));
  expect(seen).toEqual([]);
  await peer.ended(1);
  expect(seen).toHaveLength(1);
  connection.destroy();
});
