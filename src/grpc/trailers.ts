/**
 * How a status goes over the wire: `grpc-status`, and the text percent-encoded in `grpc-message`. Lists that come
 * again are the same object, so that the connection has to say them only once.
 */
import { utf8 } from "../base/bytes.ts";
import type { HeaderList } from "../http2/exchange.ts";

export const CONTENT_TYPE = "application/grpc";

export const OK_TRAILERS: HeaderList = [["grpc-status", "0"]];

/** Texts may hold what a client sent, so the store of lists is emptied when it is full. */
const KNOWN_MAX = 256;
const TEXT_MAX = 256;
const known = new Map<string, HeaderList>();

/** At the end of a response that has begun. */
export function statusTrailers(code: number, message: string): HeaderList {
  if (code === 0) return OK_TRAILERS;
  if (message.length > TEXT_MAX) return made(code, message);
  const key = `${code} ${message}`;
  let list = known.get(key);
  if (list === undefined) {
    if (known.size >= KNOWN_MAX) known.clear();
    list = made(code, message);
    known.set(key, list);
  }
  return list;
}

/** A response that is nothing but its head. */
export function onlyTrailers(
  httpStatus: number,
  contentType: string,
  code: number,
  message: string,
): HeaderList {
  return [
    [":status", String(httpStatus)],
    ["content-type", contentType],
    ...statusTrailers(code, message),
  ];
}

function made(code: number, message: string): HeaderList {
  const status = ["grpc-status", String(code)] as const;
  return message === "" ? [status] : [status, ["grpc-message", percentEncoded(message)]];
}

/** What is not printable ASCII, and the percent sign, as `%XX` of its UTF-8 bytes. */
export function percentEncoded(text: string): string {
  if (/^[ -$&-~]*$/.test(text)) return text;
  let out = "";
  for (const byte of utf8(text)) {
    if (byte >= 0x20 && byte <= 0x7e && byte !== 0x25) out += String.fromCharCode(byte);
    else out += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}
