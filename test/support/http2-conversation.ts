/** What random clients say in HTTP/2: right, damaged, or nonsense that is well formed. */
import type { HeaderList } from "../../src/http2/exchange.ts";
import { Flag, FrameType, PREFACE } from "../../src/http2/frame.ts";
import {
  frameBytes,
  type Http2Peer,
  numberBytes,
  POST,
  plainBlock,
  settingsBytes,
} from "./http2-peer.ts";
import type { Rng } from "./rng.ts";

const VALUES = [0, 1, 2, 16_383, 16_384, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1] as const;

const ODD_FIELDS: HeaderList = [
  [":path", "/"],
  [":path", ""],
  [":status", "200"],
  ["", ""],
  ["X-Upper", "1"],
  ["connection", "close"],
  ["content-length", "5"],
  ["content-length", "99999"],
  ["te", "gzip"],
  ["x", "a\0b"],
  ["x-long", "l".repeat(500)],
  ["x-longer", "l".repeat(9000)],
];

/** A request with a body, as a client would send it, in the order of the wire; the ids may be those of several. */
export function soundRequest(peer: Http2Peer, id: number, chance: Rng): Buffer[] {
  const body = chance.int(4) * chance.int(9000);
  const fields: HeaderList = chance.bool(0.3)
    ? [...POST, ["grpc-timeout", `${chance.int(1000)}m`]]
    : POST;
  if (body === 0) return [peer.headersBytes(id, fields)];
  const frames = [peer.headersBytes(id, fields, Flag.endHeaders)];
  for (let left = body; left > 0; ) {
    const bytes = Math.min(left, 1 + chance.int(16_384));
    left -= bytes;
    const last = left === 0 ? Flag.endStream : 0;
    frames.push(frameBytes(FrameType.data, last, id, Buffer.alloc(bytes, id)));
  }
  return frames;
}

/** One frame of some type, with a payload that may or may not be right for it. */
export function oddFrame(peer: Http2Peer, id: number, chance: Rng): Buffer {
  const flags = chance.bool() ? 0 : chance.int(256);
  switch (chance.int(14)) {
    case 0:
      return settingsBytes(
        Array.from({ length: chance.int(5) }, () => [chance.int(9), chance.pick(VALUES)] as const),
      );
    case 1:
      return numberBytes(FrameType.windowUpdate, chance.bool() ? 0 : id, chance.pick(VALUES));
    case 2:
      return numberBytes(FrameType.rstStream, id, chance.int(20));
    case 3:
      return frameBytes(FrameType.ping, flags, 0, Buffer.alloc(8, chance.int(256)));
    case 4:
      return frameBytes(FrameType.priority, flags, id, chance.bytes(chance.bool(0.8) ? 5 : 4));
    case 5: {
      const fields = [...POST];
      for (let n = chance.int(3); n > 0; n--) {
        fields.splice(chance.int(fields.length + 1), 0, chance.pick(ODD_FIELDS));
      }
      return frameBytes(FrameType.headers, flags, id, plainBlock(fields));
    }
    case 6:
      return frameBytes(FrameType.headers, flags, id, chance.bytes(chance.int(60)));
    case 7:
      return frameBytes(FrameType.continuation, flags, id, chance.bytes(chance.int(60)));
    case 8:
      return frameBytes(FrameType.goAway, flags, 0, chance.bytes(chance.int(20)));
    case 9:
      return frameBytes(chance.int(256), flags, chance.u32() >>> 1, chance.bytes(chance.int(40)));
    case 10:
      return peer.headersBytes(id, [...POST].reverse());
    case 11:
      return peer.headersBytes(id, [["x-trailer", "1"]]);
    default:
      return frameBytes(FrameType.data, flags, id, Buffer.alloc(chance.int(3) * chance.int(8000)));
  }
}

/** Bytes that are wrong. */
export function damaged(bytes: Buffer, chance: Rng): Buffer {
  const damage = Buffer.from(bytes);
  for (let n = 1 + chance.int(3); n > 0 && damage.length > 0; n--) {
    const at = chance.int(damage.length);
    damage[at] = chance.bool() ? chance.int(256) : (damage[at] ?? 0) ^ (1 << chance.int(8));
  }
  return chance.bool(0.8) ? damage : damage.subarray(0, chance.int(damage.length + 1));
}

/** All that one hostile client says. */
export function hostileConversation(peer: Http2Peer, chance: Rng): Buffer[] {
  const said: Buffer[] = [Buffer.from(PREFACE, "latin1"), settingsBytes([])];
  let last = 1;
  for (let n = chance.int(25); n > 0; n--) {
    const id = chance.bool(0.6) ? last : Math.max(0, last - 2 * chance.int(4));
    if (chance.bool(0.4)) {
      last += 2;
      said.push(...soundRequest(peer, last, chance));
    } else {
      said.push(oddFrame(peer, chance.bool(0.1) ? chance.int(20) : id, chance));
    }
  }
  if (chance.bool(0.3)) return [damaged(Buffer.concat(said), chance)];
  return said.map((each) => (chance.bool(0.03) ? damaged(each, chance) : each));
}

/** No more, whatever the size: a run is to be short. */
const CHUNKS_MAX = 150;

/** The same bytes in chunks of any size. */
export function inChunks(said: readonly Buffer[], chance: Rng): Buffer[] {
  const bytes = Buffer.concat(said);
  const chunks: Buffer[] = [];
  const least = Math.ceil((2 * bytes.length) / CHUNKS_MAX);
  const scale = Math.max(least, chance.pick([3, 30, 1000, 20_000, 100_000]));
  for (let at = 0; at < bytes.length; ) {
    const next = Math.min(bytes.length, at + 1 + chance.int(scale));
    chunks.push(bytes.subarray(at, next));
    at = next;
  }
  return chunks;
}
