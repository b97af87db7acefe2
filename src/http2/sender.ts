/**
 * The writing half of a connection: frames into the output, as far as the peer's windows and the socket allow; what they
 * do not allow waits in its stream and goes on in turn, a frame each, when there is room again.
 */
import type { HeaderList } from "./exchange.ts";
import {
  Flag,
  FRAME_BYTES_DEFAULT,
  FRAME_HEAD_BYTES,
  FrameType,
  WINDOW_BYTES_DEFAULT,
  WINDOW_BYTES_MAX,
  writeFrameHead,
  writeInt32,
} from "./frame.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { COPIED_PART_BYTES_MAX, SOCKET_BACKLOG_BYTES, STREAM_BACKLOG_BYTES } from "./limits.ts";
import { Output } from "./output.ts";
import { NO_PARTS, type Stream } from "./stream.ts";

/** What the sender asks of its connection. */
export interface SenderHost {
  /** There is something to flush. */
  dirty(): void;
  /** END_STREAM is written. */
  sent(stream: Stream): void;
}

/** Lists whose blocks are kept: a response's head and trailers, and those of a few errors. */
const KEPT_BLOCKS = 8;

export class Sender {
  readonly output: Output = new Output();
  readonly #host: SenderHost;
  readonly #encoder = new HpackEncoder();
  /** The peer's windows: of the connection, and of a stream when it begins. */
  #window: number = WINDOW_BYTES_DEFAULT;
  initialWindow: number = WINDOW_BYTES_DEFAULT;
  /** SETTINGS_MAX_FRAME_SIZE of the peer, or less: short frames let streams take turns. */
  readonly #frameBytes: number = FRAME_BYTES_DEFAULT;
  /** Waiting in all streams. */
  bufferedBytes = 0;
  /** Left with the socket by the last flush. */
  socketBytes = 0;
  /** DATA and HEADERS written since somebody has set it to zero. */
  framesSent = 0;
  dataBytesSent = 0;
  /** Streams that could send if the connection could, from `#roundAt` on. */
  #round: Stream[] = [];
  #roundAt = 0;
  #pumping = false;
  /** Lists and their blocks, good for one state of the encoder. */
  readonly #lists: HeaderList[] = [];
  readonly #blocks: Buffer[] = [];
  #nextKept = 0;
  #changes = -1;

  constructor(host: SenderHost) {
    this.#host = host;
  }

  get backlogBytes(): number {
    return this.output.bytes + this.socketBytes;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(bytesMax: number): void {
    this.#encoder.limit(bytesMax);
  }

  /** @returns false: it is more than a window can be */
  grant(bytes: number): boolean {
    this.#window += bytes;
    if (this.#window > WINDOW_BYTES_MAX) return false;
    this.pump();
    return true;
  }

  /** The stream's window is `bytes` more, or less; `pump` makes use of it. @returns false: it is more than a window can be */
  grantStream(stream: Stream, bytes: number): boolean {
    stream.sendWindow += bytes;
    if (stream.sendWindow > WINDOW_BYTES_MAX) return false;
    if (stream.bufferedBytes > 0 && stream.sendWindow > 0) this.#enter(stream);
    return true;
  }

  /** The whole response if nothing is in its way: else nothing is written. */
  respondAtOnce(
    stream: Stream,
    head: HeaderList,
    parts: readonly Uint8Array[],
    trailers: HeaderList,
  ): boolean {
    const bytes = bytesOf(parts);
    if (!this.#passes(stream, bytes)) return false;
    this.headers(stream.id, head, false);
    if (bytes > 0) this.#dataAtOnce(stream, parts, bytes);
    this.headers(stream.id, trailers, true);
    return true;
  }

  /** Whether so much can be written in one frame, and nothing waits that came before it. */
  #passes(stream: Stream, bytes: number): boolean {
    return (
      bytes <= COPIED_PART_BYTES_MAX &&
      bytes <= this.#window &&
      bytes <= stream.sendWindow &&
      stream.bufferedBytes === 0 &&
      this.backlogBytes <= SOCKET_BACKLOG_BYTES
    );
  }

  #dataAtOnce(stream: Stream, parts: readonly Uint8Array[], bytes: number): void {
    this.#window -= bytes;
    stream.sendWindow -= bytes;
    this.#host.dirty();
    this.#dataHead(stream.id, bytes);
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Uint8Array;
      this.output.append(part, 0, part.length, false);
    }
  }

  /** HEADERS, and CONTINUATION if the peer's frames are too short for it. */
  headers(id: number, list: HeaderList, end: boolean): void {
    this.framesSent++;
    this.#host.dirty();
    const block = this.#block(list);
    const { output } = this;
    const first = Math.min(block.length, this.#frameBytes);
    const flags = (end ? Flag.endStream : 0) | (first === block.length ? Flag.endHeaders : 0);
    output.reserve(FRAME_HEAD_BYTES);
    output.length = writeFrameHead(
      output.buffer,
      output.length,
      first,
      FrameType.headers,
      flags,
      id,
    );
    output.append(block, 0, first, false);
    for (let at = first; at < block.length; ) {
      const next = Math.min(block.length - at, this.#frameBytes);
      const last = at + next === block.length ? Flag.endHeaders : 0;
      this.#frame(next, FrameType.continuation, last, id);
      output.append(block, at, at + next, false);
      at += next;
    }
  }

  #block(list: HeaderList): Buffer {
    const encoder = this.#encoder;
    if (this.#changes !== encoder.changes) {
      this.#changes = encoder.changes;
      this.#lists.length = 0;
      this.#blocks.length = 0;
      this.#nextKept = 0;
    }
    for (let i = 0; i < this.#lists.length; i++) {
      if (this.#lists[i] === list) return this.#blocks[i] as Buffer;
    }
    const room = Buffer.allocUnsafe(encoder.bytesMax(list));
    const { tells } = encoder;
    const block = room.subarray(0, encoder.encode(list, room, 0));
    // All of it comes from tables, and these have not moved: it may well come again.
    if (!tells && encoder.changes === this.#changes && block.length <= 2 * list.length) {
      this.#lists[this.#nextKept] = list;
      this.#blocks[this.#nextKept] = block;
      this.#nextKept = (this.#nextKept + 1) % KEPT_BLOCKS;
    }
    return block;
  }

  /** As much as can be is written, the rest waits. */
  data(stream: Stream, parts: readonly Uint8Array[]): void {
    const bytes = bytesOf(parts);
    if (bytes > 0 && this.#passes(stream, bytes)) {
      this.#dataAtOnce(stream, parts, bytes);
      return;
    }
    const { queue } = stream;
    let copied = 0;
    for (const part of parts) if (part.length <= COPIED_PART_BYTES_MAX) copied += part.length;
    // Small parts stand in one copy, in order, between the large ones.
    const room = copied > 0 ? Buffer.allocUnsafe(copied) : undefined;
    let from = 0;
    let to = 0;
    const next = queue === NO_PARTS ? [] : queue;
    for (const part of parts) {
      if (part.length > COPIED_PART_BYTES_MAX) {
        if (room !== undefined && to > from) next.push(room.subarray(from, to));
        from = to;
        next.push(part);
      } else if (room !== undefined) {
        room.set(part, to);
        to += part.length;
      }
      stream.bufferedBytes += part.length;
      this.bufferedBytes += part.length;
    }
    if (room !== undefined && to > from) next.push(room.subarray(from, to));
    stream.queue = next;
    if (stream.bufferedBytes > 0 && stream.sendWindow > 0) {
      this.#enter(stream);
      this.pump();
    }
  }

  /** The trailers follow what waits. */
  end(stream: Stream, trailers: HeaderList): void {
    if (stream.bufferedBytes > 0) {
      stream.trailers = trailers;
      return;
    }
    this.#end(stream, trailers);
  }

  #end(stream: Stream, trailers: HeaderList): void {
    stream.trailers = undefined;
    this.headers(stream.id, trailers, true);
    this.#host.sent(stream);
  }

  /** Nothing of the stream will be sent any more. */
  forget(stream: Stream): void {
    this.bufferedBytes -= stream.bufferedBytes;
    stream.bufferedBytes = 0;
    stream.queue = NO_PARTS;
    stream.queueOffset = 0;
    stream.trailers = undefined;
    stream.wantsDrained = false;
  }

  #enter(stream: Stream): void {
    if (stream.inRound) return;
    stream.inRound = true;
    this.#round.push(stream);
  }

  /** Writes what waits, as far as it can be. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const relieved: Stream[] = [];
    while (this.#window > 0 && this.backlogBytes < SOCKET_BACKLOG_BYTES) {
      const stream = this.#round[this.#roundAt];
      if (stream === undefined) break;
      this.#roundAt++;
      stream.inRound = false;
      // It may have been forgotten, or its window taken back, while it waited.
      if (stream.bufferedBytes === 0 || stream.sendWindow <= 0) continue;
      this.#frameOf(stream);
      if (stream.bufferedBytes > 0) {
        if (stream.sendWindow > 0) this.#enter(stream);
      } else if (stream.trailers !== undefined) {
        this.#end(stream, stream.trailers);
      }
      if (stream.wantsDrained && stream.bufferedBytes <= STREAM_BACKLOG_BYTES / 2) {
        stream.wantsDrained = false;
        relieved.push(stream);
      }
    }
    if (this.#roundAt === this.#round.length) {
      this.#round.length = 0;
      this.#roundAt = 0;
    } else if (this.#roundAt > 1024) {
      this.#round = this.#round.slice(this.#roundAt);
      this.#roundAt = 0;
    }
    this.#pumping = false;
    for (const stream of relieved) if (!stream.closed) stream.listener?.drained();
  }

  #frameOf(stream: Stream): void {
    const bytes = Math.min(this.#window, stream.sendWindow, this.#frameBytes, stream.bufferedBytes);
    this.#window -= bytes;
    stream.sendWindow -= bytes;
    stream.bufferedBytes -= bytes;
    this.bufferedBytes -= bytes;
    this.#host.dirty();
    this.#dataHead(stream.id, bytes);
    let left = bytes;
    let whole = 0;
    while (left > 0) {
      const part = stream.queue[whole] as Uint8Array;
      const take = Math.min(left, part.length - stream.queueOffset);
      this.output.append(part, stream.queueOffset, stream.queueOffset + take, true);
      stream.queueOffset += take;
      left -= take;
      if (stream.queueOffset === part.length) {
        stream.queueOffset = 0;
        whole++;
      }
    }
    if (whole > 0) stream.queue.splice(0, whole);
  }

  #dataHead(id: number, bytes: number): void {
    this.framesSent++;
    this.dataBytesSent += bytes;
    const { output } = this;
    output.reserve(FRAME_HEAD_BYTES);
    output.length = writeFrameHead(output.buffer, output.length, bytes, FrameType.data, 0, id);
  }

  /** The head of a frame without streams' data, and room for its payload. */
  #frame(bytes: number, type: number, flags: number, id: number): void {
    const { output } = this;
    output.reserve(FRAME_HEAD_BYTES + bytes);
    output.length = writeFrameHead(output.buffer, output.length, bytes, type, flags, id);
    this.#host.dirty();
  }

  /** A frame whose payload is one integer of four bytes. */
  number(type: number, id: number, value: number): void {
    this.#frame(4, type, 0, id);
    writeInt32(this.output.buffer, this.output.length, value);
    this.output.length += 4;
  }

  /** Any other frame. */
  frame(type: number, flags: number, id: number, payload: Uint8Array): void {
    this.#frame(payload.length, type, flags, id);
    this.output.append(payload, 0, payload.length, false);
  }
}

function bytesOf(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (let i = 0; i < parts.length; i++) bytes += (parts[i] as Uint8Array).length;
  return bytes;
}
