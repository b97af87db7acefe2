/** A client that says in HTTP/2 whatever a test wants said, right or wrong, and keeps what it hears. */
import type { Duplex } from "node:stream";
import type { HeaderList } from "../../src/http2/exchange.ts";
import {
  Flag,
  FRAME_HEAD_BYTES,
  FrameType,
  int32At,
  PREFACE,
  writeFrameHead,
  writeInt32,
} from "../../src/http2/frame.ts";
import { HpackDecoder } from "../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../src/http2/hpack/encoder.ts";

export interface HeardFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export interface HeardGoAway {
  readonly lastId: number;
  readonly code: number;
  readonly debug: string;
}

export function frameBytes(
  type: number,
  flags: number,
  id: number,
  payload: Uint8Array = new Uint8Array(0),
): Buffer {
  const bytes = Buffer.alloc(FRAME_HEAD_BYTES + payload.length);
  writeFrameHead(bytes, 0, payload.length, type, flags, id);
  bytes.set(payload, FRAME_HEAD_BYTES);
  return bytes;
}

export function settingsBytes(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  for (const [i, [id, value]] of settings.entries()) {
    payload[i * 6 + 1] = id;
    writeInt32(payload, i * 6 + 2, value);
  }
  return frameBytes(FrameType.settings, 0, 0, payload);
}

export function numberBytes(type: number, id: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  writeInt32(payload, 0, value);
  return frameBytes(type, 0, id, payload);
}

/** A request without a body. */
const WHOLE = Flag.endHeaders | Flag.endStream;

export const POST: HeaderList = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/a/b"],
  [":authority", "here"],
  ["te", "trailers"],
];

/** Nothing in it depends on what was encoded before. */
export function plainBlock(fields: HeaderList): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, "latin1");
    if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
    const rest: number[] = [];
    let left = bytes.length - 127;
    for (; left >= 128; left = Math.floor(left / 128)) rest.push((left % 128) | 128);
    return Buffer.concat([Buffer.from([127, ...rest, left]), bytes]);
  };
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

export class Http2Peer {
  readonly socket: Duplex;
  readonly heard: HeardFrame[] = [];
  readonly encoder: HpackEncoder = new HpackEncoder();
  closed = false;
  /** Of DATA, by stream; and the streams whose responses have ended. */
  readonly bodyBytes: Map<number, number> = new Map();
  readonly answered: Set<number> = new Set();
  #decoder = new HpackDecoder(4096);
  #left: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => {});
    const close = (): void => {
      this.closed = true;
      this.#wake();
    };
    socket.on("close", close);
    socket.on("end", close);
  }

  #take(chunk: Buffer): void {
    const bytes = Buffer.concat([this.#left, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const word = int32At(bytes, at);
      const next = at + FRAME_HEAD_BYTES + (word >>> 8);
      if (next > bytes.length) break;
      this.#hear({
        type: word & 0xff,
        flags: bytes[at + 4] ?? 0,
        id: int32At(bytes, at + 5),
        payload: bytes.subarray(at + FRAME_HEAD_BYTES, next),
      });
      at = next;
    }
    this.#left = bytes.subarray(at);
    this.#wake();
  }

  #hear(frame: HeardFrame): void {
    this.heard.push(frame);
    const { type, flags, id, payload } = frame;
    if (type !== FrameType.data && type !== FrameType.headers) return;
    if ((flags & Flag.endStream) !== 0) this.answered.add(id);
    if (type === FrameType.data) {
      this.bodyBytes.set(id, (this.bodyBytes.get(id) ?? 0) + payload.length);
    }
  }

  send(...bytes: readonly Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(bytes));
  }

  /** The preface, and SETTINGS. */
  greet(settings: readonly (readonly [id: number, value: number])[] = []): this {
    this.send(Buffer.from(PREFACE, "latin1"), settingsBytes(settings));
    return this;
  }

  headersBytes(id: number, fields: HeaderList = POST, flags: number = WHOLE): Buffer {
    const room = Buffer.alloc(this.encoder.bytesMax(fields));
    const block = room.subarray(0, this.encoder.encode(fields, room, 0));
    return frameBytes(FrameType.headers, flags, id, block);
  }

  /** A request without a body, unless there are other flags. */
  request(id: number, fields: HeaderList = POST, flags?: number): void {
    this.send(this.headersBytes(id, fields, flags));
  }

  /** The first frame that was heard, or will be, for which it holds. */
  async until(holds: (frame: HeardFrame) => boolean, what = "a frame"): Promise<HeardFrame> {
    for (;;) {
      const found = this.heard.find(holds);
      if (found !== undefined) return found;
      if (this.closed) throw new Error(`closed before ${what}; heard ${this.story()}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async goAway(): Promise<HeardGoAway> {
    const { payload } = await this.until(({ type }) => type === FrameType.goAway, "GOAWAY");
    return {
      lastId: int32At(payload, 0),
      code: int32At(payload, 4),
      debug: payload.toString("latin1", 8),
    };
  }

  /** The code with which a stream was reset. */
  async reset(id: number): Promise<number> {
    const { payload } = await this.until(
      (frame) => frame.type === FrameType.rstStream && frame.id === id,
      `RST_STREAM of ${id}`,
    );
    return int32At(payload, 0);
  }

  /** The end of a response. */
  async ended(id: number): Promise<void> {
    await this.until(
      (frame) =>
        frame.id === id &&
        (frame.type === FrameType.headers || frame.type === FrameType.data) &&
        (frame.flags & Flag.endStream) !== 0,
      `the end of ${id}`,
    );
  }

  /** The acknowledgement of a ping, which says that all before it was seen. */
  async ping(): Promise<void> {
    const payload = Buffer.alloc(8, `p${this.heard.length}`);
    this.send(frameBytes(FrameType.ping, 0, 0, payload));
    await this.until(
      (frame) => frame.type === FrameType.ping && frame.payload.equals(payload),
      "an answer to a ping",
    );
  }

  bodyOf(id: number): Buffer {
    return Buffer.concat(
      this.heard
        .filter((frame) => frame.type === FrameType.data && frame.id === id)
        .map(({ payload }) => payload),
    );
  }

  /** All header blocks heard so far, in order. To be asked once: the table goes with it. */
  headerLists(): { readonly id: number; readonly fields: [string, string][] }[] {
    return this.heard
      .filter(({ type }) => type === FrameType.headers)
      .map(({ id, payload }) => {
        const fields: [string, string][] = [];
        this.#decoder.decode(payload, 0, payload.length, {
          field: ({ name, value }) => void fields.push([name, value]),
        });
        return { id, fields };
      });
  }

  story(): string {
    return this.heard
      .map(({ type, flags, id, payload }) => `${type}/${flags}/${id}/${payload.length}`)
      .join(" ");
  }
}
