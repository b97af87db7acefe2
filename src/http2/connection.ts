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
import { flushSoon } from "./flusher.ts";
import {
  Flag,
  FRAME_BYTES_DEFAULT,
  FRAME_BYTES_MAX,
  FRAME_HEAD_BYTES,
  FrameType,
  int32At,
  PING_BYTES,
  PREFACE,
  SETTING_BYTES,
  Setting,
  STREAM_ID_MAX,
  WINDOW_BYTES_DEFAULT,
  WINDOW_BYTES_MAX,
  writeInt32,
} from "./frame.ts";
import { type Head, HeadBuilder } from "./head.ts";
import { HeadCache } from "./head-cache.ts";
import { heartbeatOf } from "./heartbeat.ts";
import { CompressionError, HpackDecoder } from "./hpack/decoder.ts";
import {
  FAREWELL_MS,
  type Http2Options,
  STREAM_BACKLOG_BYTES,
  UNREAD_BACKLOG_BYTES,
} from "./limits.ts";
import { peerOf } from "./peer.ts";
import { PingPolice } from "./ping-police.ts";
import { RecentStreams } from "./recent-streams.ts";
import { Sender } from "./sender.ts";
import { Stream } from "./stream.ts";

const PREFACE_BYTES: Buffer = Buffer.from(PREFACE, "latin1");
const NOTHING: Buffer = Buffer.alloc(0);

/** What our own pings carry: whether the peer is there, and whether it has seen our first GOAWAY. */
const KEEPALIVE_PING: Buffer = Buffer.from("strata-k", "latin1");
const FAREWELL_PING: Buffer = Buffer.from("strata-g", "latin1");

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
  readonly #onRequest: RequestListener;
  readonly #sender: Sender;
  readonly #decoder: HpackDecoder;
  readonly #builder: HeadBuilder;
  readonly #cache = new HeadCache();
  readonly #streams = new Map<number, Stream>();
  readonly #recent = new RecentStreams();
  readonly #resets: Budget;
  readonly #idleFrames: Budget;
  readonly #pings: PingPolice;
  #phase: number = Phase.open;
  #resolveClosed: () => void = () => {};
  #dirty = false;
  #reading = true;
  bytesIn = 0;
  bytesOut = 0;

  /** Of the preface, seen so far. */
  #prefaceBytes = 0;
  #settingsSeen = false;
  /** The frame that is not whole yet: its head, then its payload. */
  readonly #head: Buffer = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  #headBytes = 0;
  #payload: Buffer = NOTHING;
  #payloadBytes = 0;
  /** Of an unpadded DATA frame, whose payload is passed on as it comes. */
  #dataLeft = 0;
  #dataStream: Stream | undefined;
  #dataEnds = false;
  /** A header block that goes on in CONTINUATION. */
  #blockId = 0;
  #blockEnds = false;
  #block: Buffer = NOTHING;
  #blockFrames = 0;

  #receiveWindow: number;
  #received = 0;
  #lastId = 0;

  /** On the clock of `performance.now()`. */
  readonly #beganMs: number = performance.now();
  #heard = true;
  #heardMs: number = this.#beganMs;
  #pingedMs = 0;
  #blockBeganMs = 0;
  #stalledMs = 0;
  #bytesOutSeen = 0;
  #farewellMs = 0;

  constructor(socket: Duplex, options: Http2Options, onRequest: RequestListener) {
    this.#socket = socket;
    this.#options = options;
    this.#onRequest = onRequest;
    this.peer = peerOf(socket);
    this.#sender = new Sender(this);
    this.#decoder = new HpackDecoder(options.headerTableBytes);
    this.#builder = new HeadBuilder(options.maxHeaderListBytes);
    this.#resets = new Budget(options.resetBurst, options.resetsPerSecond);
    this.#idleFrames = new Budget(options.idleFrameBurst, options.idleFramesPerSecond);
    this.#pings = new PingPolice(options);
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
    this.#announce();
    heartbeatOf(this.#options.tickMs).add(this);
    if (firstBytes.length > 0) {
      this.#take(Buffer.from(firstBytes.buffer, firstBytes.byteOffset, firstBytes.byteLength));
    }
    if (socket.destroyed) this.destroy();
    else socket.on("data", (chunk: Buffer) => this.#take(chunk));
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Of responses: in streams, in the output and with the socket. */
  get bufferedBytes(): number {
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
    this.#payload = NOTHING;
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

  // ---- what is said first

  #announce(): undefined {
    const { maxConcurrentStreams, streamWindowBytes, maxHeaderListBytes, headerTableBytes } =
      this.#options;
    const settings: [number, number][] = [
      [Setting.initialWindowSize, streamWindowBytes],
      [Setting.maxHeaderListSize, maxHeaderListBytes],
    ];
    if (maxConcurrentStreams < 2 ** 32 - 1)
      settings.push([Setting.maxConcurrentStreams, maxConcurrentStreams]);
    if (headerTableBytes !== 4096) settings.push([Setting.headerTableSize, headerTableBytes]);
    const payload = Buffer.alloc(settings.length * SETTING_BYTES);
    for (const [i, [id, value]] of settings.entries()) {
      payload[i * SETTING_BYTES + 1] = id;
      writeInt32(payload, i * SETTING_BYTES + 2, value);
    }
    this.#sender.frame(FrameType.settings, 0, 0, payload);
    const more = this.#receiveWindow - WINDOW_BYTES_DEFAULT;
    if (more > 0) this.#sender.number(FrameType.windowUpdate, 0, more);
  }

  // ---- writing

  dirty(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    flushSoon(this);
  }

  flush(): void {
    this.#dirty = false;
    if (this.#phase === Phase.closed) return;
    const socket = this.#socket;
    const { output } = this.#sender;
    const bytes = output.bytes;
    if (bytes > 0) {
      this.bytesOut += bytes;
      output.writeTo(socket);
      this.#sender.socketBytes = socket.writableLength;
      if (this.#sender.socketBytes > UNREAD_BACKLOG_BYTES && this.#reading) {
        this.#reading = false;
        socket.pause();
      }
    }
    this.#leaveIfDone();
  }

  #drained(): undefined {
    this.#sender.socketBytes = this.#socket.writableLength;
    if (this.#phase === Phase.closed) return;
    if (!this.#reading) {
      this.#reading = true;
      this.#socket.resume();
    }
    this.#sender.pump();
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
    this.#payload = NOTHING;
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

  #fail(code: ErrorCode, debug = ""): undefined {
    if (this.#phase >= Phase.ended) return;
    this.#cancelAll();
    this.#sayGoAway(this.#lastId, code, Buffer.from(debug, "latin1"));
    this.#phase = Phase.draining;
    this.flush();
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
    this.#pings.spoke();
    this.#sender.headers(stream.id, head, end);
    if (!end) return;
    stream.closed = true;
    this.sent(stream);
  }

  sendData(stream: Stream, parts: readonly Uint8Array[]): boolean {
    this.#pings.spoke();
    this.#sender.data(stream, parts);
    if (this.#sender.bufferedBytes > this.#options.maxBufferedBytesHard) {
      this.#cancel(stream, ErrorCode.enhanceYourCalm);
      return true;
    }
    if (stream.bufferedBytes <= STREAM_BACKLOG_BYTES) return true;
    stream.wantsDrained = true;
    return false;
  }

  sendTrailers(stream: Stream, trailers: HeaderList): void {
    if (stream.closed) return;
    stream.closed = true;
    this.#sender.end(stream, trailers);
  }

  /** The response is written. */
  sent(stream: Stream): void {
    stream.endSent = true;
    this.#pings.spoke();
    this.#resets.earn(1);
    // The peer need not finish what it asks: it has its answer.
    if (!stream.remoteEnded) this.#sayReset(stream.id, ErrorCode.noError);
    this.#remove(stream, !stream.remoteEnded);
  }

  resetByListener(stream: Stream, code: ErrorCode): void {
    stream.closed = true;
    this.#sayReset(stream.id, code);
    this.#remove(stream, true);
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

  #charge(budget: Budget): undefined {
    if (!budget.spend()) this.#fail(ErrorCode.enhanceYourCalm);
  }

  // ---- reading

  #take(chunk: Buffer): undefined {
    this.bytesIn += chunk.length;
    this.#heard = true;
    if (this.#phase >= Phase.ended) return;
    let at = 0;
    if (this.#prefaceBytes < PREFACE_BYTES.length) {
      at = this.#takePreface(chunk);
      if (at < 0) return;
    }
    const end = chunk.length;
    try {
      if (this.#headBytes > 0 || this.#dataLeft > 0) at = this.#continue(chunk, at, end);
      while (end - at >= FRAME_HEAD_BYTES && this.#phase < Phase.ended) {
        const word = int32At(chunk, at);
        const length = word >>> 8;
        const type = word & 0xff;
        const flags = chunk[at + 4] as number;
        const id = int32At(chunk, at + 5) & STREAM_ID_MAX;
        if (!this.#admit(length, type, id)) return;
        if (type === FrameType.data && (flags & Flag.padded) === 0) {
          this.#beginData(length, flags, id);
          at = this.#takeData(chunk, at + FRAME_HEAD_BYTES, end);
          continue;
        }
        if (end - at < FRAME_HEAD_BYTES + length) break;
        at += FRAME_HEAD_BYTES;
        this.#frame(type, flags, id, chunk, at, at + length);
        at += length;
      }
      // The rest stays until more comes.
      if (at < end && this.#phase < Phase.ended) this.#continue(chunk, at, end);
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      this.#fail(ErrorCode.compressionError);
    }
  }

  /** @returns where it ends in the chunk, or -1: it is not all there, or is not one */
  #takePreface(chunk: Buffer): number {
    const bytes = Math.min(PREFACE_BYTES.length - this.#prefaceBytes, chunk.length);
    for (let i = 0; i < bytes; i++) {
      if (chunk[i] !== PREFACE_BYTES[this.#prefaceBytes + i]) {
        this.#fail(ErrorCode.protocolError);
        return -1;
      }
    }
    this.#prefaceBytes += bytes;
    return bytes;
  }

  /** Goes on with a frame that began in an earlier chunk, or begins one that will not end in this. @returns where it has come to */
  #continue(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#phase < Phase.ended) {
      if (this.#dataLeft > 0) {
        at = this.#takeData(chunk, at, end);
        if (this.#dataLeft === 0) return at;
        continue;
      }
      if (this.#headBytes < FRAME_HEAD_BYTES) {
        this.#head[this.#headBytes++] = chunk[at++] as number;
        if (this.#headBytes < FRAME_HEAD_BYTES) continue;
        const word = int32At(this.#head, 0);
        const length = word >>> 8;
        const id = int32At(this.#head, 5) & STREAM_ID_MAX;
        const flags = this.#head[4] as number;
        const type = word & 0xff;
        if (!this.#admit(length, type, id)) return end;
        if (type === FrameType.data && (flags & Flag.padded) === 0) {
          this.#headBytes = 0;
          this.#beginData(length, flags, id);
          if (length === 0) return this.#takeData(chunk, at, at);
          continue;
        }
        this.#payload = length === 0 ? NOTHING : Buffer.allocUnsafe(length);
        this.#payloadBytes = 0;
      }
      const { length } = this.#payload;
      const bytes = Math.min(length - this.#payloadBytes, end - at);
      this.#payload.set(chunk.subarray(at, at + bytes), this.#payloadBytes);
      this.#payloadBytes += bytes;
      at += bytes;
      if (this.#payloadBytes < length) continue;
      const payload = this.#payload;
      this.#headBytes = 0;
      this.#payload = NOTHING;
      this.#frame(
        this.#head[3] as number,
        this.#head[4] as number,
        int32At(this.#head, 5) & STREAM_ID_MAX,
        payload,
        0,
        length,
      );
      return at;
    }
    return at;
  }

  /** Whether such a frame may come now at all. */
  #admit(length: number, type: number, id: number): boolean {
    if (length > FRAME_BYTES_DEFAULT) {
      this.#fail(ErrorCode.frameSizeError);
      return false;
    }
    const expected =
      this.#blockId !== 0
        ? type === FrameType.continuation && id === this.#blockId
        : type !== FrameType.continuation && (this.#settingsSeen || type === FrameType.settings);
    if (!expected) this.#fail(ErrorCode.protocolError);
    return expected;
  }

  #frame(
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
        if (id !== 0) return this.#fail(ErrorCode.protocolError);
        if (end - start < 8) return this.#fail(ErrorCode.frameSizeError);
        return this.#charge(this.#idleFrames);
      case FrameType.priority:
        return this.#onPriority(id, bytes, start, end);
      case FrameType.pushPromise:
        return this.#fail(ErrorCode.protocolError);
      default:
        return this.#charge(this.#idleFrames);
    }
  }

  // ---- DATA

  #beginData(length: number, flags: number, id: number): undefined {
    this.#dataLeft = length;
    this.#dataEnds = (flags & Flag.endStream) !== 0;
    this.#dataStream = this.#dataFor(id, length, length);
  }

  /** The windows pay for all of the frame. @returns the stream that takes it, if one does */
  #dataFor(id: number, length: number, bodyBytes: number): Stream | undefined {
    if (id === 0) {
      this.#fail(ErrorCode.protocolError);
      return undefined;
    }
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) {
      this.#fail(ErrorCode.flowControlError);
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
      if (id > this.#lastId || (id & 1) === 0) this.#fail(ErrorCode.protocolError);
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
    if (bodyBytes > 0) this.#idleFrames.earn(1);
    else if (length === 0 || !this.#dataEnds) this.#charge(this.#idleFrames);
    return stream;
  }

  #takeData(chunk: Buffer, start: number, end: number): number {
    const bytes = Math.min(this.#dataLeft, end - start);
    this.#dataLeft -= bytes;
    const stream = this.#dataStream;
    if (stream === undefined) return start + bytes;
    if (bytes > 0 && !stream.closed) stream.listener?.data(chunk, start, start + bytes);
    if (this.#dataLeft === 0) {
      this.#dataStream = undefined;
      this.#dataDone(stream, this.#dataEnds);
    }
    return start + bytes;
  }

  #onPaddedData(flags: number, id: number, bytes: Buffer, start: number, end: number): undefined {
    const length = end - start;
    if (length === 0) return this.#fail(ErrorCode.frameSizeError);
    const padding = bytes[start] as number;
    if (padding >= length) return this.#fail(ErrorCode.protocolError);
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
    if (id === 0 || (id & 1) === 0) return this.#fail(ErrorCode.protocolError);
    let from = start;
    let to = end;
    if ((flags & Flag.padded) !== 0) {
      if (from >= to) return this.#fail(ErrorCode.frameSizeError);
      to -= bytes[from++] as number;
    }
    let ownParent = false;
    if ((flags & Flag.priority) !== 0) {
      if (end - from < 5) return this.#fail(ErrorCode.frameSizeError);
      ownParent = (int32At(bytes, from) & STREAM_ID_MAX) === id;
      from += 5;
    }
    if (from > to) return this.#fail(ErrorCode.protocolError);
    const ends = (flags & Flag.endStream) !== 0;
    if (ownParent) {
      // The priorities themselves mean nothing any more. The block must still be read, for the table's sake.
      this.#failStream(id, ErrorCode.protocolError);
    }
    if ((flags & Flag.endHeaders) !== 0) return this.#onBlock(id, ends, bytes, from, to);
    this.#blockId = id;
    this.#blockEnds = ends;
    this.#blockFrames = 0;
    this.#blockBeganMs = performance.now();
    this.#block = Buffer.from(bytes.subarray(from, to));
  }

  #onContinuation(flags: number, bytes: Buffer, start: number, end: number): undefined {
    const { maxContinuations, maxHeaderBlockBytes } = this.#options;
    this.#blockFrames++;
    if (
      this.#blockFrames > maxContinuations ||
      this.#block.length + end - start > maxHeaderBlockBytes
    ) {
      return this.#fail(ErrorCode.enhanceYourCalm);
    }
    this.#block = Buffer.concat([this.#block, bytes.subarray(start, end)]);
    if ((flags & Flag.endHeaders) === 0) return;
    const block = this.#block;
    const id = this.#blockId;
    this.#block = NOTHING;
    this.#blockId = 0;
    this.#onBlock(id, this.#blockEnds, block, 0, block.length);
  }

  /** A header block is whole: a request's, or the trailers behind its body. */
  #onBlock(id: number, ends: boolean, bytes: Buffer, start: number, end: number): undefined {
    if (id > this.#lastId) return this.#onRequestBlock(id, ends, bytes, start, end);
    this.#builder.begin();
    this.#decoder.decode(bytes, start, end, this.#builder);
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#recent.wasReset(id)) return this.#charge(this.#idleFrames);
      return this.#fail(
        this.#recent.wasClosed(id) ? ErrorCode.streamClosed : ErrorCode.protocolError,
      );
    }
    if (stream.remoteEnded) return this.#failStream(id, ErrorCode.streamClosed);
    if (!ends || !this.#builder.trailersAreSound)
      return this.#failStream(id, ErrorCode.protocolError);
    this.#bodyDone(stream);
  }

  #onRequestBlock(id: number, ends: boolean, bytes: Buffer, start: number, end: number): undefined {
    const { table } = this.#decoder;
    const { changes } = table;
    let head: Head | undefined = this.#cache.find(bytes, start, end, changes);
    if (head === undefined) {
      this.#builder.begin();
      this.#decoder.decode(bytes, start, end, this.#builder);
      head = this.#builder.tooLarge ? undefined : this.#builder.head();
      if (head !== undefined && table.changes === changes) {
        this.#cache.keep(bytes, start, end, head);
      }
    }
    // Streams on their way when the last GOAWAY was written: it told the peer that they are not looked at.
    if (this.#phase === Phase.draining) return;
    const wasReset = this.#recent.wasReset(id);
    this.#lastId = id;
    if (wasReset) return;
    if (head === undefined) {
      return this.#failStream(
        id,
        this.#builder.tooLarge ? ErrorCode.frameSizeError : ErrorCode.protocolError,
      );
    }
    if (ends && head.contentLength > 0) return this.#failStream(id, ErrorCode.protocolError);
    if (
      this.#streams.size >= this.#options.maxConcurrentStreams ||
      this.#sender.bufferedBytes > this.#options.maxBufferedBytes
    ) {
      return this.#failStream(id, ErrorCode.refusedStream);
    }
    this.#idleFrames.earn(4);
    const stream = new Stream(
      this,
      id,
      this.#options.streamWindowBytes,
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
    if (id === 0) return this.#fail(ErrorCode.protocolError);
    if (end - start !== 5) {
      // An error of the stream, but one that is idle cannot be reset.
      if (id > this.#lastId) return this.#fail(ErrorCode.frameSizeError);
      return this.#failStream(id, ErrorCode.frameSizeError);
    }
    if ((int32At(bytes, start) & STREAM_ID_MAX) === id) {
      return this.#failStream(id, ErrorCode.protocolError);
    }
    this.#charge(this.#idleFrames);
  }

  #onReset(id: number, length: number): undefined {
    if (length !== 4) return this.#fail(ErrorCode.frameSizeError);
    if (id === 0 || id > this.#lastId || (id & 1) === 0) {
      return this.#fail(ErrorCode.protocolError);
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#charge(this.#idleFrames);
    this.#drop(stream, false);
    this.#charge(this.#resets);
  }

  #onSettings(flags: number, id: number, bytes: Buffer, start: number, end: number): undefined {
    if (id !== 0) return this.#fail(ErrorCode.protocolError);
    if ((flags & Flag.ack) !== 0) {
      if (end > start) return this.#fail(ErrorCode.frameSizeError);
      return this.#charge(this.#idleFrames);
    }
    if ((end - start) % SETTING_BYTES !== 0) return this.#fail(ErrorCode.frameSizeError);
    this.#settingsSeen = true;
    for (let at = start; at < end; at += SETTING_BYTES) {
      const setting = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      const code = this.#apply(setting, int32At(bytes, at + 2) >>> 0);
      if (code !== ErrorCode.noError) return this.#fail(code);
    }
    this.#sender.frame(FrameType.settings, Flag.ack, 0, NOTHING);
    // Not before: what the new windows allow is to follow the word that they are known.
    this.#sender.pump();
    this.#charge(this.#idleFrames);
  }

  /** @returns what is wrong with it */
  #apply(setting: number, value: number): ErrorCode {
    switch (setting) {
      case Setting.headerTableSize:
        this.#sender.limitTable(value);
        break;
      case Setting.enablePush:
        if (value > 1) return ErrorCode.protocolError;
        break;
      case Setting.initialWindowSize: {
        if (value > WINDOW_BYTES_MAX) return ErrorCode.flowControlError;
        const more = value - this.#sender.initialWindow;
        this.#sender.initialWindow = value;
        for (const stream of this.#streams.values()) {
          if (!this.#sender.grantStream(stream, more)) return ErrorCode.flowControlError;
        }
        break;
      }
      case Setting.maxFrameSize:
        if (value < FRAME_BYTES_DEFAULT || value > FRAME_BYTES_MAX) return ErrorCode.protocolError;
        break;
    }
    return ErrorCode.noError;
  }

  #onPing(flags: number, id: number, bytes: Buffer, start: number, end: number): undefined {
    if (id !== 0) return this.#fail(ErrorCode.protocolError);
    if (end - start !== PING_BYTES) return this.#fail(ErrorCode.frameSizeError);
    if ((flags & Flag.ack) !== 0) {
      if (this.#phase === Phase.leaving && FAREWELL_PING.compare(bytes, start, end) === 0) {
        this.#leave();
      }
      return this.#charge(this.#idleFrames);
    }
    this.#sender.frame(FrameType.ping, Flag.ack, 0, bytes.subarray(start, end));
    if (!this.#pings.allows(performance.now(), this.#streams.size > 0)) {
      return this.#fail(ErrorCode.enhanceYourCalm, "too_many_pings");
    }
    this.#charge(this.#idleFrames);
  }

  #onWindowUpdate(id: number, bytes: Buffer, start: number, end: number): undefined {
    if (end - start !== 4) return this.#fail(ErrorCode.frameSizeError);
    const more = int32At(bytes, start) & WINDOW_BYTES_MAX;
    if (id === 0) {
      if (more === 0) return this.#fail(ErrorCode.protocolError);
      if (!this.#sender.grant(more)) return this.#fail(ErrorCode.flowControlError);
    } else {
      if (id > this.#lastId || (id & 1) === 0) return this.#fail(ErrorCode.protocolError);
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
      if (nowMs - this.#farewellMs > FAREWELL_MS) this.destroy();
      return;
    }
    if (this.#phase === Phase.leaving && nowMs - this.#farewellMs > FAREWELL_MS) this.#leave();
    if (!this.#settingsSeen && nowMs - this.#beganMs > options.prefaceTimeoutMs) {
      return this.#fail(ErrorCode.settingsTimeout);
    }
    if (this.#blockId !== 0 && nowMs - this.#blockBeganMs > options.prefaceTimeoutMs) {
      return this.#fail(ErrorCode.enhanceYourCalm);
    }
    if (this.#isStalled(nowMs)) {
      this.destroy();
      return;
    }
    this.#keepAlive(nowMs);
  }

  /** Whether the peer has long read nothing of too much. */
  #isStalled(nowMs: number): boolean {
    const moved = this.bytesOut - this.#socket.writableLength;
    const full = !this.#reading || this.#sender.bufferedBytes > this.#options.maxBufferedBytes;
    if (!full || moved !== this.#bytesOutSeen) {
      this.#bytesOutSeen = moved;
      this.#stalledMs = nowMs;
      return false;
    }
    return nowMs - this.#stalledMs > this.#options.stallTimeoutMs;
  }

  #keepAlive(nowMs: number): undefined {
    const { keepaliveIntervalMs, keepaliveTimeoutMs } = this.#options;
    if (this.#heard || !this.#reading) {
      this.#heard = false;
      this.#heardMs = nowMs;
      this.#pingedMs = 0;
    } else if (this.#pingedMs > 0) {
      if (nowMs - this.#pingedMs > keepaliveTimeoutMs) this.destroy();
    } else if (keepaliveIntervalMs > 0 && nowMs - this.#heardMs > keepaliveIntervalMs) {
      this.#pingedMs = nowMs;
      this.#sender.frame(FrameType.ping, 0, 0, KEEPALIVE_PING);
    }
  }
}
