/** What protocol a connection begins with. */
import { PREFACE } from "../../http2/frame.ts";

/** The longest method of HTTP/1.1 is 17 letters (UPDATEREDIRECTREF). */
const METHOD_BYTES_MAX = 24;

const SPACE = 0x20;

/**
 * @returns `undecided`: more bytes will tell, at most 24. HTTP/1.1 is what begins with capital letters or hyphens and a
 * space; whether it is that in truth, its parser will say
 */
export function protocolOf(bytes: Uint8Array): "http2" | "http1" | "neither" | "undecided" {
  const known = Math.min(bytes.length, PREFACE.length);
  let at = 0;
  while (at < known && bytes[at] === PREFACE.charCodeAt(at)) at++;
  if (at === PREFACE.length) return "http2";
  if (at === bytes.length) return "undecided";
  for (at = 0; at < bytes.length && at < METHOD_BYTES_MAX; at++) {
    const byte = bytes[at] as number;
    if (byte === SPACE) return at > 0 ? "http1" : "neither";
    const isLetter = byte >= 0x41 && byte <= 0x5a;
    if (!isLetter && byte !== 0x2d) return "neither";
  }
  return at < METHOD_BYTES_MAX ? "undecided" : "neither";
}
