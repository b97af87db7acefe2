/**
 * As little of an HTTP/2 client as gRPC needs, so that what is measured is the server: no header is looked at, windows
 * are wide open, messages are handed over where they lie.
 */
import { connect, type Socket } from "node:net";

const FRAME_HEAD_BYTES = 9;
const MESSAGE_HEAD_BYTES = 5;
/** Of a payload, unless the server's settings allow more. */
const FRAME_BYTES_MAX = 16_384;
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
const WINDOW_MAX = 2 ** 31 - 1;
/** The connection's window is opened again after so much. */
const WINDOW_STEP = 2 ** 30;
const INITIAL_WINDOW_SIZE = 4;
const DEFAULT_WINDOW = 65_535;

export interface StreamEvents {
  /** The range of bytes is good until this returns. */
  message(bytes: Buffer, start: number, end: number): void;
  /** Gets how much has come, instead of messages: below 2 GiB a call, for a stream's window is not opened again. */
  data?(bytes: number): void;
  /** The response is over. */
  ended?(): void;
}

/** A body that is not sent, or not all of it. */
interface Outgoing {
  readonly id: number;
  readonly body: Buffer;
  readonly end: boolean;
  sent: number;
  /** What the server still takes of this stream. */
  window: number;
}

interface Stream extends StreamEvents {
  /** Of a message that came in pieces. */
  held: Buffer | undefined;
}

export class RawClient {
  readonly #socket: Socket;
  readonly #authority: string;
  readonly #streams = new Map<number, Stream>();
  /** Blocks of headers, by path. */
  readonly #heads = new Map<string, Buffer>();
  #corked = false;
  #held: Buffer | undefined;
  #nextId = 1;
  #received = 0;
  /** What the server still takes on this connection, and of a stream when it begins. */
  #window = DEFAULT_WINDOW;
  #streamWindow = DEFAULT_WINDOW;
  /** In the order of the calls, one after another. */
  #waiting: Outgoing[] = [];
  #closed = false;
  failure: string | undefined;

  private constructor(socket: Socket, authority: string) {
    this.#socket = socket;
    this.#authority = authority;
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(INITIAL_WINDOW_SIZE, 0);
    settings.writeUInt32BE(WINDOW_MAX, 2);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(frame(SETTINGS, 0, 0, settings));
    socket.write(frame(WINDOW_UPDATE, 0, 0, uint32(WINDOW_MAX - DEFAULT_WINDOW)));
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("close", () => this.#fail("the connection is closed"));
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket, `127.0.0.1:${port}`);
  }

  /** Begins a call. @param body  a message with its head of five bytes @param end  the only one */
  call(path: string, body: Buffer, end: boolean, events: StreamEvents): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#streams.set(id, { held: undefined, ...events });
    this.#cork();
    this.#socket.write(frame(HEADERS, END_HEADERS, id, this.#headOf(path)));
    this.#waiting.push({ id, body, end, sent: 0, window: this.#streamWindow });
    this.#send();
  }

  /** Calls of one turn go in one write. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #headOf(path: string): Buffer {
    const known = this.#heads.get(path);
    if (known !== undefined) return known;
    const fields = [
      [":method", "POST"],
      [":scheme", "http"],
      [":path", path],
      [":authority", this.#authority],
      ["te", "trailers"],
      ["content-type", "application/grpc"],
    ].map(([name = "", value = ""]) => literal(name, value));
    const head = Buffer.concat(fields);
    this.#heads.set(path, head);
    return head;
  }

  #send(): void {
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      const { id, body, end } = next;
      while (next.sent < body.length) {
        const bytes = Math.min(this.#window, next.window, FRAME_BYTES_MAX, body.length - next.sent);
        if (bytes <= 0) return;
        this.#window -= bytes;
        next.window -= bytes;
        const piece = body.subarray(next.sent, next.sent + bytes);
        next.sent += bytes;
        const isLast = end && next.sent === body.length;
        this.#socket.write(frame(DATA, isLast ? END_STREAM : 0, id, piece));
      }
      this.#waiting.shift();
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** Every call is over. */
  #fail(why: string): void {
    if (this.#closed || this.failure !== undefined) return;
    this.failure = why;
    for (const { ended } of this.#streams.values()) ended?.();
  }

  #read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#held !== undefined) bytes = Buffer.concat([this.#held, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const length = uint32At(bytes, at) >>> 8;
      const end = at + FRAME_HEAD_BYTES + length;
      if (end > bytes.length) break;
      this.#frame(bytes, at, end);
      at = end;
    }
    this.#held = at === bytes.length ? undefined : bytes.subarray(at);
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3];
    const flags = bytes[at + 4] as number;
    const id = uint32At(bytes, at + 5) & WINDOW_MAX;
    const start = at + FRAME_HEAD_BYTES;
    if (type === DATA) this.#data(id, bytes, start, end);
    else if (type === SETTINGS && !(flags & ACK)) this.#settings(bytes, start, end);
    else if (type === PING && !(flags & ACK)) {
      this.#socket.write(frame(PING, ACK, 0, Buffer.from(bytes.subarray(start, end))));
    } else if (type === WINDOW_UPDATE) {
      this.#grant(id, bytes.readUInt32BE(start));
    } else if (type === GOAWAY) this.#fail(`GOAWAY ${bytes.toString("latin1", start + 8, end)}`);
    else if (type === RST_STREAM) this.#fail(`RST_STREAM ${bytes.readUInt32BE(start)}`);
    if ((type === DATA || type === HEADERS) && flags & END_STREAM) {
      this.#streams.get(id)?.ended?.();
      this.#streams.delete(id);
    }
  }

  #settings(bytes: Buffer, start: number, end: number): void {
    this.#socket.write(frame(SETTINGS, ACK, 0));
    for (let at = start; at < end; at += 6) {
      if (bytes.readUInt16BE(at) !== INITIAL_WINDOW_SIZE) continue;
      const window = bytes.readUInt32BE(at + 2);
      for (const waiting of this.#waiting) waiting.window += window - this.#streamWindow;
      this.#streamWindow = window;
    }
    this.#send();
  }

  #grant(id: number, more: number): void {
    const waiting = this.#waiting.find((one) => one.id === id);
    if (id === 0) this.#window += more;
    else if (waiting !== undefined) waiting.window += more;
    this.#send();
  }

  #data(id: number, bytes: Buffer, start: number, end: number): void {
    this.#received += end - start;
    if (this.#received >= WINDOW_STEP) {
      this.#socket.write(frame(WINDOW_UPDATE, 0, 0, uint32(this.#received)));
      this.#received = 0;
    }
    const stream = this.#streams.get(id);
    if (stream?.data !== undefined) stream.data(end - start);
    if (stream === undefined || stream.data !== undefined) return;
    let from = bytes;
    let at = start;
    let to = end;
    if (stream.held !== undefined) {
      from = Buffer.concat([stream.held, bytes.subarray(start, end)]);
      at = 0;
      to = from.length;
    }
    while (to - at >= MESSAGE_HEAD_BYTES) {
      const first = at + MESSAGE_HEAD_BYTES;
      const last = first + uint32At(from, at + 1);
      if (last > to) break;
      stream.message(from, first, last);
      at = last;
    }
    stream.held = at === to ? undefined : Buffer.from(from.subarray(at, to));
  }
}

function frame(type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** Quicker than Buffer's own, which looks at its arguments first: a client shares the processors with what it measures. */
function uint32At(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A header field without indexing, neither name nor value compressed; both are short. */
function literal(name: string, value: string): Buffer {
  const [nameBytes, valueBytes] = [Buffer.from(name), Buffer.from(value)];
  return Buffer.concat([
    Buffer.of(0, nameBytes.length),
    nameBytes,
    Buffer.of(valueBytes.length),
    valueBytes,
  ]);
}
