/**
 * The server's side of one HTTP/2 connection: takes frames apart where they lie in the socket's chunks, keeps the
 * streams, and holds the peer to the protocol and the limits. What is wrong with a stream resets it, what is wrong with
 * the connection ends it, and neither ever throws.
 *
 * @see RFC 9113
 */
import type { Duplex } from "node:stream";
import { Budget } from "./budget.ts";
import { ErrorCode } from "./error-code.ts";
import type { HeaderList, Peer, RequestListener } from "./exchange.ts";
import { answered, flushSoon } from "./flusher.ts";
import {
  Flag,
  FrameType,
  int32At,
  PING_BYTES,
  STREAM_ID_MAX,
  WINDOW_BYTES_DEFAULT,
  WINDOW_BYTES_MAX,
  writeInt32,
} from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import type { Head } from "./head.ts";
import { heartbeatOf } from "./heartbeat.ts";
import { CompressionError } from "./hpack/decoder.ts";
import {
  FAREWELL_MS,
  type Http2Options,
  STREAM_BACKLOG_BYTES,
  UNREAD_BACKLOG_BYTES,
} from "./limits.ts";
import { peerOf } from "./peer.ts";
import { PingPolice } from "./ping-police.ts";
import { RecentStreams } from "./recent-streams.ts";
import { RequestReader } from "./request-reader.ts";
import { Sender } from "./sender.ts";
import { ourSettings, readSettings } from "./settings.ts";
import { Stream } from "./stream.ts";
import { SilenceVigil, StallVigil } from "./vigil.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** What our own pings carry: whether the peer is there, and whether it has seen our first GOAWAY. */
const KEEPALIVE_PING: Buffer = Buffer.from("strata-k", "latin1");
const FAREWELL_PING: Buffer = Buffer.from("strata-g", "latin1");

/** Changing the windows of so many streams is as much work as a frame that is of no use. */
const STREAMS_PER_FRAME = 64;

const Phase = {
  open: 0,
  /** GOAWAY was sent that allows for streams on their way; then the one that does not. */
  leaving: 1,
  draining: 2,
  /** All is said; only the socket is not closed yet. What comes in is not looked at. */
  ended: 3,
  closed: 4,
} as const;

export class Connection {
  readonly peer: Peer;
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #options: Http2Options;
  readonly #openStreamsMax: number;
  readonly #onRequest: RequestListener;
  readonly #sender: Sender;
  readonly #frames: FrameReader;
  readonly #requests: RequestReader;
  readonly #streams = new Map<number, Stream>();
  readonly #recent = new RecentStreams();
  readonly #resets: Budget;
  readonly #idleFrames: Budget;
  readonly #pings: PingPolice;
  /** What the sender had counted at the peer's last ping. */
  #dataBytesAtPing = 0;
  #phase: number = Phase.open;
  #resolveClosed: () => void = () => {};
  #dirty = false;
  /** Streams that want to hear when all is written. */
  readonly #unwritten = new Set<Stream>();
  #reading = true;
  bytesIn = 0;
  bytesOut = 0;

  #settingsSeen = false;
  /** The DATA frame that is being read: who takes it, and whether it is the last. */
  #dataStream: Stream | undefined;
  #dataEnds = false;
  /** A header block that goes on in CONTINUATION. */
  #blockId = 0;
  #blockEnds = false;
  #blockRefused = false;
  #block: Buffer = NOTHING;
  #blockFrames = 0;

  #receiveWindow: number;
  #received = 0;
  /** Of a stream when it begins: what the peer may believe, which is the protocol's default until it has seen our SETTINGS. */
  #streamWindow: number;
  /** The last stream that was taken, and the last that the peer began. */
  #lastId = 0;
  #lastSeenId = 0;
  /** Of requests on which nothing was said since they came. */
  #unansweredBytes = 0;

  readonly #silence: SilenceVigil;
  readonly #stall: StallVigil;
  /** On the clock of `performance.now()`. */
  readonly #beganMs: number = performance.now();
  #blockBeganMs = 0;
  #farewellMs = 0;
  #failed = false;

  constructor(socket: Duplex, options: Http2Options, onRequest: RequestListener) {
    this.#socket = socket;
    this.#options = options;
    this.#openStreamsMax = Math.min(options.maxConcurrentStreams, options.maxOpenStreams);
    this.#onRequest = onRequest;
    this.peer = peerOf(socket);
    this.#sender = new Sender(this);
    this.#frames = new FrameReader(this);
    this.#requests = new RequestReader(options);
    this.#silence = new SilenceVigil(options);
    this.#stall = new StallVigil(options);
    this.#resets = new Budget(options.resetBurst, options.resetsPerSecond);
    this.#idleFrames = new Budget(options.idleFrameBurst, options.idleFramesPerSecond);
    this.#pings = new PingPolice(options);
    this.#streamWindow = Math.max(options.streamWindowBytes, WINDOW_BYTES_DEFAULT);
    this.#receiveWindow = Math.max(options.connectionWindowBytes, WINDOW_BYTES_DEFAULT);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** @param firstBytes  of the connection, read already by who looked at what protocol it is */
  begin(firstBytes: Uint8Array): void {
    const socket = this.#socket;
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
    socket.on("end", () => this.destroy());
    socket.on("drain", () => this.#drained());
    this.#sender.frame(FrameType.settings, 0, 0, ourSettings(this.#options));
    const more = this.#receiveWindow - WINDOW_BYTES_DEFAULT;
    if (more > 0) this.#sender.number(FrameType.windowUpdate, 0, more);
    heartbeatOf(this.#options.tickMs).add(this);
    if (firstBytes.length > 0) {
      const { buffer, byteOffset, byteLength } = firstBytes;
      // Later, so that the caller knows the connection before its first request; still before the next chunk.
      process.nextTick(() => this.#take(Buffer.from(buffer, byteOffset, byteLength)));
    }
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    if (socket.destroyed) this.destroy();
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Of responses: in streams, in the output and with the socket. */
  get bufferedBytes(): number {
    if (this.#phase === Phase.closed) return 0;
    return this.#sender.bufferedBytes + this.#sender.output.bytes + this.#socket.writableLength;
  }

  /** Ends the connection when the streams that are open have ended; no later ones are taken. */
  goAway(): void {
    if (this.#phase !== Phase.open) return;
    this.#phase = Phase.leaving;
    this.#farewellMs = performance.now();
    this.#sayGoAway(STREAM_ID_MAX, ErrorCode.noError, NOTHING);
    // Once this has come back, the peer knows, and what it sent before is here.
    this.#sender.frame(FrameType.ping, 0, 0, FAREWELL_PING);
  }

  /** Ends it at once. */
  destroy(): void {
    if (this.#phase === Phase.closed) return;
    this.#phase = Phase.closed;
    heartbeatOf(this.#options.tickMs).remove(this);
    this.#cancelAll();
    this.#sender.output.drop();
    this.#frames.drop();
    this.#block = NOTHING;
    this.#socket.destroy();
    this.#resolveClosed();
  }

  #cancelAll(): undefined {
    const open = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of open) {
      this.#sender.forget(stream);
      if (stream.closed) continue;
      stream.closed = true;
      stream.listener?.cancelled();
    }
  }

  // ---- writing

  dirty(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    flushSoon(this);
  }

  flush(): void {
    this.#dirty = false;
    if (this.ended) return;
    // While the socket is full, what comes is gathered here: many small writes would cost it more than their bytes.
    if (!this.#socket.writableNeedDrain) this.#write();
    if (this.#reading && this.#sender.backlogBytes > UNREAD_BACKLOG_BYTES) {
      this.#reading = false;
      this.#socket.pause();
    }
    this.#leaveIfDone();
  }

  #write(): undefined {
    const { output } = this.#sender;
    this.bytesOut += output.bytes;
    output.writeTo(this.#socket, this.#whoWaits());
    this.#sender.socketBytes = this.#socket.writableLength;
  }

  /** Tells the streams that have nothing left but what is written now; undefined if none has asked. */
  #whoWaits(): (() => void) | undefined {
    if (this.#unwritten.size === 0) return undefined;
    const told: (() => void)[] = [];
    for (const stream of this.#unwritten) {
      if (stream.bufferedBytes > 0 && !stream.closed) continue;
      this.#unwritten.delete(stream);
      const { written } = stream;
      stream.written = undefined;
      if (written !== undefined && !stream.closed) told.push(written);
    }
    if (told.length === 0) return undefined;
    return () => {
      for (const written of told) written();
    };
  }

  #drained(): undefined {
    if (this.ended) return;
    this.#sender.socketBytes = this.#socket.writableLength;
    if (!this.#reading) {
      this.#reading = true;
      this.#socket.resume();
    }
    this.#sender.pump();
    if (this.#sender.output.bytes > 0 || this.#unwritten.size > 0) this.dirty();
  }

  #leaveIfDone(): undefined {
    if (this.#phase !== Phase.draining || this.#streams.size > 0) return;
    if (this.#sender.output.bytes > 0) return;
    this.#end();
  }

  /** Nothing more is written. The peer has a moment to read it: closed at once, the last frames could be lost. */
  #end(): undefined {
    this.#phase = Phase.ended;
    this.#farewellMs = performance.now();
    this.#frames.drop();
    this.#block = NOTHING;
    this.#socket.end();
    if (!this.#reading) {
      this.#reading = true;
      this.#socket.resume();
    }
  }

  #sayGoAway(lastId: number, code: ErrorCode, debug: Uint8Array): undefined {
    const payload = Buffer.alloc(8 + debug.length);
    writeInt32(payload, 0, lastId);
    writeInt32(payload, 4, code);
    payload.set(debug, 8);
    this.#sender.frame(FrameType.goAway, 0, 0, payload);
  }

  /** Whatever comes now is not looked at. */
  get ended(): boolean {
    return this.#phase >= Phase.ended;
  }

  /** The connection ends, and the peer is told why. */
  fail(code: ErrorCode, debug = ""): undefined {
    if (this.ended) return;
    this.#cancelAll();
    this.#sayGoAway(this.#lastId, code, Buffer.from(debug, "latin1"));
    this.#failed = true;
    this.#write();
    this.#end();
  }

  // ---- what streams do (StreamHost)

  respond(
    stream: Stream,
    head: HeaderList,
    parts: readonly Uint8Array[],
    trailers: HeaderList,
  ): void {
    if (!stream.headSent && this.#sender.respondAtOnce(stream, head, parts, trailers)) {
      stream.closed = true;
      this.sent(stream);
      return;
    }
    if (!stream.headSent) this.sendHead(stream, head, false);
    this.sendData(stream, parts);
    this.sendTrailers(stream, trailers);
  }

  sendHead(stream: Stream, head: HeaderList, end: boolean): void {
    stream.headSent = true;
    this.#spoke(stream);
    this.#sender.headers(stream.id, head, end);
    if (!end) return;
    stream.closed = true;
    this.sent(stream);
  }

  sendData(stream: Stream, parts: readonly Uint8Array[]): boolean {
    this.#spoke(stream);
    this.#sender.data(stream, parts);
    if (this.#sender.bufferedBytes > this.#options.maxBufferedBytesHard) {
      this.#cancel(stream, ErrorCode.enhanceYourCalm);
      return true;
    }
    if (stream.bufferedBytes <= STREAM_BACKLOG_BYTES) return true;
    stream.wantsDrained = true;
    return false;
  }

  whenWritten(stream: Stream, written: () => void): void {
    stream.written = written;
    this.#unwritten.add(stream);
    this.dirty();
  }

  sendTrailers(stream: Stream, trailers: HeaderList): void {
    if (stream.closed) return;
    stream.closed = true;
    this.#sender.end(stream, trailers);
  }

  /** The response is written. */
  sent(stream: Stream): void {
    stream.endSent = true;
    this.#spoke(stream);
    this.#resets.earn(1);
    // The peer need not finish what it asks: it has its answer.
    if (!stream.remoteEnded) this.#sayReset(stream.id, ErrorCode.noError);
    this.#remove(stream, !stream.remoteEnded);
    answered();
  }

  resetByListener(stream: Stream, code: ErrorCode): void {
    stream.closed = true;
    this.#sayReset(stream.id, code);
    this.#remove(stream, true);
  }

  #spoke(stream: Stream): void {
    this.#pings.spoke();
    this.#unansweredBytes -= stream.unansweredBytes;
    stream.unansweredBytes = 0;
  }

  grant(stream: Stream): void {
    if (stream.remoteEnded || stream.received < this.#options.streamWindowBytes / 2) return;
    this.#sender.number(FrameType.windowUpdate, stream.id, stream.received);
    stream.receiveWindow += stream.received;
    stream.received = 0;
  }

  #sayReset(id: number, code: ErrorCode): undefined {
    this.#sender.number(FrameType.rstStream, id, code);
  }

  #remove(stream: Stream, byReset: boolean): undefined {
    this.#sender.forget(stream);
    if (!this.#streams.delete(stream.id)) return;
    this.#unansweredBytes -= stream.unansweredBytes;
    stream.unansweredBytes = 0;
    this.#recent.add(stream.id, byReset);
    if (this.#phase === Phase.draining) this.dirty();
  }

  /** Resets a stream that its listener counts on. */
  #cancel(stream: Stream, code: ErrorCode): undefined {
    this.#sayReset(stream.id, code);
    this.#drop(stream, true);
  }

  #drop(stream: Stream, byUs: boolean): undefined {
    const { closed } = stream;
    stream.closed = true;
    this.#remove(stream, byUs);
    if (!closed) stream.listener?.cancelled();
  }

  /** Something is wrong with the stream alone. Peers that provoke it again and again do it to keep us busy. */
  #failStream(id: number, code: ErrorCode): undefined {
    this.#sayReset(id, code);
    const stream = this.#streams.get(id);
    if (stream === undefined) this.#recent.add(id, true);
    else this.#drop(stream, true);
    this.#charge(this.#resets);
  }

  #charge(budget: Budget, amount = 1): undefined {
    if (!budget.spend(amount)) this.fail(ErrorCode.enhanceYourCalm);
  }

  // ---- what comes (FrameHandler)

  #take(chunk: Buffer): void {
    this.bytesIn += chunk.length;
    this.#silence.heard();
    if (this.ended) return;
    try {
      this.#frames.take(chunk);
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      this.fail(ErrorCode.compressionError);
    }
  }

  admit(type: number, id: number): boolean {
    const expected =
      this.#blockId !== 0
        ? type === FrameType.continuation && id === this.#blockId
        : type !== FrameType.continuation && (this.#settingsSeen || type === FrameType.settings);
    if (!expected) this.fail(ErrorCode.protocolError);
    return expected;
  }

  frame(
    type: number,
    flags: number,
    id: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): undefined {
    switch (type) {
      case FrameType.headers:
        return this.#onHeaders(flags, id, bytes, start, end);
      case FrameType.data:
        return this.#onPaddedData(flags, id, bytes, start, end);
      case FrameType.windowUpdate:
        return this.#onWindowUpdate(id, bytes, start, end);
      case FrameType.rstStream:
        return this.#onReset(id, end - start);
      case FrameType.settings:
        return this.#onSettings(flags, id, bytes, start, end);
      case FrameType.ping:
        return this.#onPing(flags, id, bytes, start, end);
      case FrameType.continuation:
        return this.#onContinuation(flags, bytes, start, end);
      case FrameType.goAway:
        if (id !== 0) return this.fail(ErrorCode.protocolError);
        if (end - start < 8) return this.fail(ErrorCode.frameSizeError);
        return this.#charge(this.#idleFrames);
      case FrameType.priority:
        return this.#onPriority(id, bytes, start, end);
      case FrameType.pushPromise:
        return this.fail(ErrorCode.protocolError);
      default:
        return this.#charge(this.#idleFrames);
    }
  }

  /** The peer has not begun it. Even ones are ours to begin, and we begin none. */
  #isIdle(id: number): boolean {
    return id > this.#lastSeenId || (id & 1) === 0;
  }

  // ---- DATA

  beginData(id: number, length: number, flags: number): void {
    this.#dataEnds = (flags & Flag.endStream) !== 0;
    this.#dataStream = this.#dataFor(id, length, length);
  }

  /** The windows pay for all of the frame. @returns the stream that takes it, if one does */
  #dataFor(id: number, length: number, bodyBytes: number): Stream | undefined {
    if (id === 0) {
      this.fail(ErrorCode.protocolError);
      return undefined;
    }
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) {
      this.fail(ErrorCode.flowControlError);
      return undefined;
    }
    this.#received += length;
    if (this.#received * 2 >= this.#options.connectionWindowBytes) {
      this.#sender.number(FrameType.windowUpdate, 0, this.#received);
      this.#receiveWindow += this.#received;
      this.#received = 0;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#isIdle(id)) this.fail(ErrorCode.protocolError);
      else if (!this.#recent.wasReset(id)) this.#failStream(id, ErrorCode.streamClosed);
      return undefined;
    }
    if (stream.remoteEnded) {
      this.#failStream(id, ErrorCode.streamClosed);
      return undefined;
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) {
      this.#failStream(id, ErrorCode.flowControlError);
      return undefined;
    }
    if (stream.contentLeft >= 0) {
      if (bodyBytes > stream.contentLeft) {
        this.#failStream(id, ErrorCode.protocolError);
        return undefined;
      }
      stream.contentLeft -= bodyBytes;
    }
    stream.received += length;
    stream.unansweredBytes += bodyBytes;
    this.#unansweredBytes += bodyBytes;
    if (this.#unansweredBytes > this.#options.maxUnansweredBytes) {
      this.#failStream(id, ErrorCode.enhanceYourCalm);
      return undefined;
    }
    if (bodyBytes > 0) this.#idleFrames.earn(1);
    else if (length === 0 || !this.#dataEnds) this.#charge(this.#idleFrames);
    return stream;
  }

  data(bytes: Buffer, start: number, end: number): void {
    const stream = this.#dataStream;
    if (stream !== undefined && !stream.closed) stream.listener?.data(bytes, start, end);
  }

  endData(): void {
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    if (stream !== undefined) this.#dataDone(stream, this.#dataEnds);
  }

  #onPaddedData(flags: number, id: number, bytes: Buffer, start: number, end: number): undefined {
    const length = end - start;
    if (length === 0) return this.fail(ErrorCode.frameSizeError);
    const padding = bytes[start] as number;
    if (padding >= length) return this.fail(ErrorCode.protocolError);
    this.#dataEnds = (flags & Flag.endStream) !== 0;
    const stream = this.#dataFor(id, length, length - 1 - padding);
    if (stream === undefined) return;
    if (!stream.closed && length - 1 > padding) {
      stream.listener?.data(bytes, start + 1, end - padding);
    }
    this.#dataDone(stream, this.#dataEnds);
  }

  #dataDone(stream: Stream, ends: boolean): undefined {
    // Its listener may have ended it meanwhile.
    if (this.#streams.get(stream.id) !== stream) return;
    if (ends) this.#bodyDone(stream);
    else if (!stream.paused) this.grant(stream);
  }

  #bodyDone(stream: Stream): undefined {
    if (stream.contentLeft > 0) return this.#failStream(stream.id, ErrorCode.protocolError);
    stream.remoteEnded = true;
    if (!stream.closed) stream.listener?.ended();
  }

  // ---- HEADERS

  #onHeaders(flags: number, id: number, bytes: Buffer, start: number, end: number): undefined {
    if (id === 0 || (id & 1) === 0) return this.fail(ErrorCode.protocolError);
    let from = start;
    let to = end;
    if ((flags & Flag.padded) !== 0) {
      if (from >= to) return this.fail(ErrorCode.frameSizeError);
      to -= bytes[from++] as number;
    }
    let ownParent = false;
    if ((flags & Flag.priority) !== 0) {
      if (end - from < 5) return this.fail(ErrorCode.frameSizeError);
      ownParent = (int32At(bytes, from) & STREAM_ID_MAX) === id;
      from += 5;
    }
    if (from > to) return this.fail(ErrorCode.protocolError);
    if (to - from > this.#options.maxHeaderBlockBytes) {
      return this.fail(ErrorCode.enhanceYourCalm);
    }
    const ends = (flags & Flag.endStream) !== 0;
    // The priorities themselves mean nothing any more. The block must still be read, for the table's sake.
    if (ownParent) this.#failStream(id, ErrorCode.protocolError);
    if ((flags & Flag.endHeaders) !== 0) return this.#onBlock(id, ends, ownParent, bytes, from, to);
    this.#blockId = id;
    this.#blockRefused = ownParent;
    this.#blockEnds = ends;
    this.#blockFrames = 0;
    this.#blockBeganMs = performance.now();
    this.#block = Buffer.from(bytes.subarray(from, to));
  }

  #onContinuation(flags: number, bytes: Buffer, start: number, end: number): undefined {
    const { maxContinuations, maxHeaderBlockBytes } = this.#options;
    this.#blockFrames++;
    this.#block = Buffer.concat([this.#block, bytes.subarray(start, end)]);
    if (this.#blockFrames > maxContinuations || this.#block.length > maxHeaderBlockBytes) {
      return this.fail(ErrorCode.enhanceYourCalm);
    }
    if ((flags & Flag.endHeaders) === 0) return;
    const block = this.#block;
    const id = this.#blockId;
    this.#block = NOTHING;
    this.#blockId = 0;
    this.#onBlock(id, this.#blockEnds, this.#blockRefused, block, 0, block.length);
  }

  /** A header block is whole: a request's, or the trailers behind its body. */
  #onBlock(
    id: number,
    ends: boolean,
    refused: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): undefined {
    if (id > this.#lastSeenId) {
      this.#lastSeenId = id;
      const head = this.#requests.request(bytes, start, end);
      if (refused) return;
      // On its way when the last GOAWAY was written, which tells the peer that it is not looked at.
      if (this.#phase === Phase.draining) this.#recent.add(id, true);
      else this.#onRequestHead(id, ends, head);
      return;
    }
    const sound = this.#requests.trailers(bytes, start, end);
    if (refused) return;
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#recent.wasReset(id)) return this.#charge(this.#idleFrames);
      return this.fail(
        this.#recent.wasClosed(id) ? ErrorCode.streamClosed : ErrorCode.protocolError,
      );
    }
    if (stream.remoteEnded) return this.#failStream(id, ErrorCode.streamClosed);
    if (!ends || !sound) return this.#failStream(id, ErrorCode.protocolError);
    this.#bodyDone(stream);
  }

  #onRequestHead(id: number, ends: boolean, head: Head | ErrorCode): undefined {
    this.#lastId = id;
    if (typeof head === "number") return this.#failStream(id, head);
    if (ends && head.contentLength > 0) return this.#failStream(id, ErrorCode.protocolError);
    if (
      this.#streams.size >= this.#openStreamsMax ||
      this.#sender.bufferedBytes > this.#options.maxBufferedBytes
    ) {
      return this.#failStream(id, ErrorCode.refusedStream);
    }
    this.#idleFrames.earn(4);
    const stream = new Stream(
      this,
      id,
      this.#streamWindow,
      this.#sender.initialWindow,
      head.contentLength,
    );
    stream.remoteEnded = ends;
    this.#streams.set(id, stream);
    const listener = this.#onRequest(stream, head);
    if (stream.closed) return;
    stream.listener = listener;
    if (ends) listener.ended();
  }

  // ---- the others

  #onPriority(id: number, bytes: Buffer, start: number, end: number): undefined {
    if (id === 0) return this.fail(ErrorCode.protocolError);
    if (end - start !== 5) {
      // An error of the stream, but one that is idle cannot be reset.
      if (this.#isIdle(id)) return this.fail(ErrorCode.frameSizeError);
      return this.#failStream(id, ErrorCode.frameSizeError);
    }
    if ((int32At(bytes, start) & STREAM_ID_MAX) === id) {
      return this.#failStream(id, ErrorCode.protocolError);
    }
    this.#charge(this.#idleFrames);
  }

  #onReset(id: number, length: number): undefined {
    if (length !== 4) return this.fail(ErrorCode.frameSizeError);
    if (id === 0 || this.#isIdle(id)) {
      return this.fail(ErrorCode.protocolError);
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#charge(this.#idleFrames);
    this.#drop(stream, false);
    this.#charge(this.#resets);
  }

  #onSettings(flags: number, id: number, bytes: Buffer, start: number, end: number): undefined {
    if (id !== 0) return this.fail(ErrorCode.protocolError);
    if ((flags & Flag.ack) !== 0) {
      if (end > start) return this.fail(ErrorCode.frameSizeError);
      this.#onSettingsKnown();
      return this.#charge(this.#idleFrames);
    }
    const settings = readSettings(bytes, start, end);
    if (typeof settings === "number") return this.fail(settings);
    this.#settingsSeen = true;
    const { headerTableBytes, initialWindowBytes } = settings;
    if (headerTableBytes !== undefined) this.#sender.limitTable(headerTableBytes);
    if (initialWindowBytes !== undefined) {
      const more = initialWindowBytes - this.#sender.initialWindow;
      this.#sender.initialWindow = initialWindowBytes;
      for (const stream of this.#streams.values()) {
        if (!this.#sender.grantStream(stream, more)) return this.fail(ErrorCode.flowControlError);
      }
      // The more streams, the more work it was.
      this.#charge(this.#idleFrames, this.#streams.size / STREAMS_PER_FRAME);
    }
    this.#sender.frame(FrameType.settings, Flag.ack, 0, NOTHING);
    // Not before: what the new windows allow is to follow the word that they are known.
    this.#sender.pump();
    this.#charge(this.#idleFrames);
  }

  #onSettingsKnown(): undefined {
    const less = this.#streamWindow - this.#options.streamWindowBytes;
    if (less === 0) return;
    this.#streamWindow = this.#options.streamWindowBytes;
    for (const stream of this.#streams.values()) {
      stream.receiveWindow -= less;
      if (!stream.paused) this.grant(stream);
    }
  }

  #onPing(flags: number, id: number, bytes: Buffer, start: number, end: number): undefined {
    if (id !== 0) return this.fail(ErrorCode.protocolError);
    if (end - start !== PING_BYTES) return this.fail(ErrorCode.frameSizeError);
    if ((flags & Flag.ack) !== 0) {
      if (this.#phase === Phase.leaving && FAREWELL_PING.compare(bytes, start, end) === 0) {
        this.#leave();
      }
      return this.#charge(this.#idleFrames);
    }
    this.#sender.frame(FrameType.ping, Flag.ack, 0, bytes.subarray(start, end));
    // What goes out as the peer's windows allow it counts as much as what is said now.
    if (this.#sender.dataBytesSent !== this.#dataBytesAtPing) this.#pings.spoke();
    this.#dataBytesAtPing = this.#sender.dataBytesSent;
    if (!this.#pings.allows(performance.now(), this.#streams.size > 0)) {
      return this.fail(ErrorCode.enhanceYourCalm, "too_many_pings");
    }
    this.#charge(this.#idleFrames);
  }

  #onWindowUpdate(id: number, bytes: Buffer, start: number, end: number): undefined {
    if (end - start !== 4) return this.fail(ErrorCode.frameSizeError);
    const more = int32At(bytes, start) & WINDOW_BYTES_MAX;
    if (id === 0) {
      if (more === 0) return this.fail(ErrorCode.protocolError);
      if (!this.#sender.grant(more)) return this.fail(ErrorCode.flowControlError);
    } else {
      if (this.#isIdle(id)) return this.fail(ErrorCode.protocolError);
      if (more === 0) return this.#failStream(id, ErrorCode.protocolError);
      const stream = this.#streams.get(id);
      if (stream !== undefined && !this.#sender.grantStream(stream, more)) {
        return this.#failStream(id, ErrorCode.flowControlError);
      }
      this.#sender.pump();
    }
    // Three for each frame of ours: its stream's, the connection's, and one to spare.
    const earned = this.#sender.framesSent;
    if (earned > 0) {
      this.#sender.framesSent = 0;
      this.#idleFrames.earn(3 * earned);
    }
    this.#charge(this.#idleFrames);
  }

  // ---- time

  #leave(): undefined {
    this.#phase = Phase.draining;
    this.#sayGoAway(this.#lastId, ErrorCode.noError, NOTHING);
  }

  beat(nowMs: number): undefined {
    const options = this.#options;
    if (this.#phase === Phase.ended) {
      // What the streams were answered must still arrive, unless the peer has done wrong or does not read.
      const patienceMs =
        this.#failed || this.#socket.writableLength === 0 ? FAREWELL_MS : options.stallTimeoutMs;
      if (nowMs - this.#farewellMs > patienceMs) this.destroy();
      return;
    }
    if (this.#phase === Phase.leaving && nowMs - this.#farewellMs > FAREWELL_MS) this.#leave();
    if (!this.#settingsSeen && nowMs - this.#beganMs > options.prefaceTimeoutMs) {
      return this.fail(ErrorCode.settingsTimeout);
    }
    if (this.#blockId !== 0 && nowMs - this.#blockBeganMs > options.prefaceTimeoutMs) {
      return this.fail(ErrorCode.enhanceYourCalm);
    }
    if (this.#hasStalled(nowMs)) return this.#give();
    const found = this.#silence.look(nowMs);
    if (found === "gone") return this.#give();
    if (found === "ping") this.#sender.frame(FrameType.ping, 0, 0, KEEPALIVE_PING);
  }

  /** Whether the peer has long taken nothing of too much: by its windows, or by not reading its socket. */
  #hasStalled(nowMs: number): boolean {
    const waiting = this.#sender.bufferedBytes > this.#options.maxBufferedBytes;
    const taken = waiting
      ? this.#sender.dataBytesSent
      : this.bytesOut - this.#socket.writableLength;
    return this.#stall.look(nowMs, waiting || !this.#reading, taken) === "gone";
  }

  #give(): undefined {
    this.destroy();
  }
}
