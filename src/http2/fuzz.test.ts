/**
 * Random clients: honest ones, which must get what they ask for whatever their windows and chunks are, and others, which
 * must not get us to throw, to hang, to keep anything, or to say what no server may. 1,000 in every test run, 100,000
 * with `npm run fuzz:http2`. STRATA_FUZZ is how many, STRATA_SEED where they begin.
 */
import { expect, test } from "vitest";
import { duplexPair } from "../../test/support/duplex-pair.ts";
import {
  hostileConversation,
  inChunks,
  soundRequest,
} from "../../test/support/http2-conversation.ts";
import { Http2Peer, numberBytes, settingsBytes } from "../../test/support/http2-peer.ts";
import { HEAD, TRAILERS } from "../../test/support/http2-rig.ts";
import { type Rng, rng } from "../../test/support/rng.ts";
import type { HeaderList, RequestListener, ServerStream, StreamListener } from "./exchange.ts";
import { Flag, FrameType, int32At, PREFACE, Setting } from "./frame.ts";
import { serveHttp2 } from "./server-connection.ts";

const COUNT = Number(process.env.STRATA_FUZZ ?? 1000);
const SEED = Number(process.env.STRATA_SEED ?? 1);

/** Milliseconds for one client, on a machine that does other things as well. */
const SLOW_MS = 5000;

/** Of responses, for one connection: what the listener below can have sent at most is more. */
const BUFFERED_MAX = 2 ** 20;

const turn = (): Promise<void> => new Promise(setImmediate);

/** Holds the connection to its contract. */
class Witness implements StreamListener {
  readonly stream: ServerStream;
  readonly act: (witness: Witness, event: string) => void;
  bytes = 0;
  whole = false;
  over = false;
  waits = false;

  constructor(stream: ServerStream, act: (witness: Witness, event: string) => void) {
    this.stream = stream;
    this.act = act;
  }

  data(_bytes: Uint8Array, start: number, end: number): void {
    this.#check(end > start && !this.whole, "data");
    this.bytes += end - start;
    this.act(this, "data");
  }

  ended(): void {
    this.#check(!this.whole, "ended");
    this.whole = true;
    this.act(this, "ended");
  }

  drained(): void {
    this.#check(this.waits, "drained");
    this.waits = false;
    this.act(this, "drained");
  }

  cancelled(): void {
    if (this.over || !this.stream.closed)
      throw new Error("cancelled twice, or before it is closed");
    this.over = true;
  }

  #check(holds: boolean, event: string): void {
    if (!holds || this.over || this.stream.closed) throw new Error(`${event}, and it must not be`);
  }
}

const LISTS: readonly HeaderList[] = [HEAD, [[":status", "404"]], [...HEAD, ["x-a", "1"]]];

/** A listener that does anything at any time. */
function fickle(chance: Rng): { readonly onRequest: RequestListener; readonly all: Witness[] } {
  const all: Witness[] = [];
  const act = (witness: Witness): void => {
    const { stream } = witness;
    switch (chance.int(12)) {
      case 0:
      case 1:
        stream.respond(chance.pick(LISTS), [chance.bytes(chance.int(50))], TRAILERS);
        break;
      case 2: {
        const trailers: HeaderList = [...TRAILERS, ["grpc-message", `m${chance.int(1000)}`]];
        stream.respond(HEAD, [new Uint8Array(chance.int(70_000))], trailers);
        break;
      }
      case 3:
        stream.sendHead(chance.pick(LISTS), chance.bool(0.3));
        break;
      case 4:
        stream.reset(chance.bool() ? 0 : 8);
        break;
      case 5:
        stream.pause();
        break;
      case 6:
        stream.resume();
        break;
      case 7:
        witness.waits = !stream.sendData([new Uint8Array(chance.int(90_000)), new Uint8Array(3)]);
        break;
      case 8:
        stream.sendTrailers(TRAILERS);
        break;
    }
  };
  const onRequest: RequestListener = (stream) => {
    const witness = new Witness(stream, act);
    all.push(witness);
    if (chance.bool(0.1)) act(witness);
    return witness;
  };
  return { onRequest, all };
}

/** Everything that was heard is something a server may say. @returns how it ended */
function judge(peer: Http2Peer, windowGranted: number): string {
  let data = 0;
  let goAway = -1;
  const ended = new Set<number>();
  for (const { type, flags, id, payload } of peer.heard) {
    if (payload.length > 16_384) throw new Error("a frame beyond the peer's size");
    if (type === FrameType.data || type === FrameType.headers) {
      if (ended.has(id)) throw new Error(`more on ${id} after its end`);
      if ((flags & Flag.endStream) !== 0) ended.add(id);
      if (type === FrameType.data) data += payload.length;
    } else if (type === FrameType.rstStream) {
      ended.add(id);
    } else if (type === FrameType.goAway) {
      goAway = int32At(payload, 4);
    }
  }
  peer.headerLists();
  expect(data).toBeLessThanOrEqual(windowGranted);
  if (goAway >= 0) return `GOAWAY ${goAway}`;
  return peer.closed ? "closed" : "open";
}

function grantedBy(said: readonly Buffer[]): number {
  const bytes = Buffer.concat(said);
  let granted = 65_535;
  for (let at = 0; at + 13 <= bytes.length; at++) {
    // Wherever it might be one: damaged frames may be in other places than they were put.
    if (int32At(bytes, at) === 0x408 && int32At(bytes, at + 5) === 0) {
      granted += int32At(bytes, at + 9) & 0x7fffffff;
    }
  }
  return granted;
}

async function hostile(chance: Rng): Promise<string> {
  const [ours, theirs] = duplexPair();
  const { onRequest, all } = fickle(chance);
  const options = {
    maxConcurrentStreams: chance.pick([1, 5, 2 ** 32 - 1]),
    streamWindowBytes: chance.pick([1, 1000, 2 ** 20]),
    maxBufferedBytes: BUFFERED_MAX / 2,
    maxBufferedBytesHard: BUFFERED_MAX,
    maxHeaderBlockBytes: 20_000,
    maxUnansweredBytes: 100_000,
    resetBurst: 10,
    idleFrameBurst: 50,
  };
  const peer = new Http2Peer(theirs);
  const said = hostileConversation(peer, chance);
  const chunks = inChunks(said, chance);
  const connection = serveHttp2(ours, chunks[0] ?? new Uint8Array(0), options, onRequest);
  await turn();
  for (const [i, chunk] of chunks.slice(1).entries()) {
    if (theirs.writable) theirs.write(chunk);
    if (i % 64 === 0) await turn();
    if (connection.bufferedBytes > 2 * BUFFERED_MAX) throw new Error("too much waits");
    if (all.length > 0 && chance.bool(0.1)) {
      const witness = chance.pick(all);
      witness.act(witness, "whenever");
    }
  }
  if (chance.bool(0.1)) connection.goAway();
  await turn();
  const outcome = judge(peer, grantedBy(said));
  connection.destroy();
  expect(connection.openStreams).toBe(0);
  expect(connection.bufferedBytes).toBe(0);
  for (const { stream } of all) {
    expect(stream.closed).toBe(true);
    expect(stream.bufferedBytes).toBe(0);
  }
  await connection.closed;
  return outcome;
}

/** A client that keeps to the rules, with small windows: every request is answered with as many bytes as it had, and five. */
async function honest(chance: Rng): Promise<string> {
  const [ours, theirs] = duplexPair();
  const { onRequest } = honestListener(chance);
  const connection = serveHttp2(ours, new Uint8Array(0), {}, onRequest);
  const peer = new Http2Peer(theirs);
  const window = chance.pick([0, 1, 100, 65_535]);
  const requests = 1 + chance.int(8);
  const said = [
    Buffer.from(PREFACE, "latin1"),
    settingsBytes([[Setting.initialWindowSize, window]]),
  ];
  const wanted = new Map<number, number>();
  for (let n = 0; n < requests; n++) {
    const id = 1 + 2 * n;
    const frames = soundRequest(peer, id, chance);
    wanted.set(
      id,
      frames.slice(1).reduce((sum, { length }) => sum + length - 9, 5),
    );
    said.push(...frames);
  }
  for (const chunk of inChunks(said, chance)) theirs.write(chunk);
  // The windows open a little at a time, all that is heard being judged by them.
  const granted = new Map<number, number>();
  let all = 65_535;
  for (let round = 0; round < 10_000; round++) {
    await turn();
    const open = [...wanted.keys()].filter((id) => !peer.answered.has(id));
    if (open.length === 0) break;
    if (peer.closed) throw new Error("an honest client is shown the door");
    let total = 0;
    for (const id of wanted.keys()) {
      const got = peer.bodyBytes.get(id) ?? 0;
      total += got;
      if (got > window + (granted.get(id) ?? 0)) throw new Error("beyond a stream's window");
    }
    if (total > all) throw new Error("beyond the connection's window");
    const more = 1 + chance.int(60_000);
    const id = chance.pick(open);
    granted.set(id, (granted.get(id) ?? 0) + more);
    all += more;
    peer.send(
      numberBytes(FrameType.windowUpdate, id, more),
      numberBytes(FrameType.windowUpdate, 0, more),
    );
  }
  for (const [id, bytes] of wanted) expect(peer.bodyBytes.get(id)).toBe(bytes);
  expect(peer.headerLists()).toHaveLength(2 * requests);
  expect(connection.openStreams).toBe(0);
  connection.goAway();
  await turn();
  connection.destroy();
  await connection.closed;
  return "answered";
}

function honestListener(chance: Rng): { readonly onRequest: RequestListener } {
  const onRequest: RequestListener = (stream) => {
    const parts: Uint8Array[] = [new Uint8Array(5)];
    const inPieces = chance.bool();
    const later = chance.bool();
    const answer = (): void => {
      if (inPieces) {
        stream.sendHead(HEAD);
        for (const part of parts) stream.sendData([part]);
        stream.sendTrailers(TRAILERS);
      } else {
        stream.respond(HEAD, parts, TRAILERS);
      }
    };
    return {
      data: (bytes, start, end) => void parts.push(bytes.subarray(start, end)),
      ended: () => {
        if (later) queueMicrotask(answer);
        else answer();
      },
      drained: () => {},
      cancelled: () => {
        throw new Error("an honest request is cancelled");
      },
    };
  };
  return { onRequest };
}

test(`${COUNT} clients from seed ${SEED}: answered, refused or shown the door, and nothing else`, {
  timeout: 3_600_000,
}, async () => {
  const outcomes = new Map<string, number>();
  for (let i = 0; i < COUNT; i++) {
    const chance = rng(SEED * 1_000_003 + i);
    const begin = performance.now();
    let outcome: string;
    try {
      outcome = i % 4 === 0 ? await honest(chance) : await hostile(chance);
    } catch (error) {
      throw new Error(`client ${i} of seed ${SEED}`, { cause: error });
    }
    if (performance.now() - begin > SLOW_MS)
      throw new Error(`client ${i} took ${performance.now() - begin} ms`);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  console.log(
    Object.fromEntries(outcomes),
    `${Math.round(process.memoryUsage().heapUsed / 2 ** 20)} MiB of heap,`,
    `${Math.round(process.memoryUsage().arrayBuffers / 2 ** 20)} MiB of buffers`,
  );
  // Clients that are all refused, or never, would prove nothing.
  for (const expected of ["answered", "open", "GOAWAY 1", "GOAWAY 6", "GOAWAY 9"]) {
    expect(outcomes.get(expected)).toBeGreaterThan(COUNT / 200);
  }
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(2 ** 28);
});
