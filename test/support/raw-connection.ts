/** Bytes to a port and back, for what no HTTP/2 client would say. */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface RawAnswer {
  readonly bytes: Buffer;
  /** The server has closed the connection, or broken it; false: it was still open when the time was over. */
  readonly closed: boolean;
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** @param length  of what the header says, if it is not the payload's */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(0),
  length: number = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const EMPTY_SETTINGS: Buffer = frame(4, 0, 0);

/** Says it, and listens until the server has closed the connection or the time is over. */
export async function sayRaw(
  port: number,
  words: Uint8Array,
  { tls = false, waitMs = 5000 }: { readonly tls?: boolean; readonly waitMs?: number } = {},
): Promise<RawAnswer> {
  const heard: Buffer[] = [];
  const socket: Socket = tls
    ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] })
    : connect(port, "127.0.0.1");
  socket.on("data", (bytes: Buffer) => heard.push(bytes));
  socket.write(words);
  const closed = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), waitMs);
    const over = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    socket.once("error", over);
    socket.once("close", over);
    socket.once("end", over);
  });
  socket.destroy();
  return { bytes: Buffer.concat(heard), closed };
}

/** Whole frames at the beginning. */
export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) break;
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      stream: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

/** The error code of the GOAWAY among them. */
export function goneAway(bytes: Buffer): number | undefined {
  return framesOf(bytes)
    .find(({ type }) => type === 7)
    ?.payload.readUInt32BE(4);
}
