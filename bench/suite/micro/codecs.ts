/** What requests and responses cost to read and to write: protobuf and header blocks. */
import type { HeaderList } from "../../../src/http2/exchange.ts";
import { HpackDecoder } from "../../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../../src/http2/hpack/encoder.ts";
import { protoCases } from "../../proto.ts";
import { OURS } from "../question.ts";
import { type MicroCase, nanosecondsEach, type Work } from "./micro-case.ts";

const BATCH = 1000;
const TABLE_BYTES = 4096;
const GENERATED = ", generated";

const NS = { unit: "ns", better: "less" } as const;
/** What the cases of bench/proto.ts are made of. */
const PUT = [{ label: "key of 17 B, value of 256 B", keys: 1, valueBytes: 256 }] as const;
const FIELDS = [{ label: "one block", keys: 1, valueBytes: 0 }] as const;

/** "encode a put's response" beside "encode a put's response, generated". */
function protobuf(): MicroCase[] {
  const cases = protoCases();
  const work = (name: string) => (): Work => {
    const { run } = cases.find((each) => each.name === name) ?? {};
    if (run === undefined) throw new Error(`there is no case ${name}`);
    return nanosecondsEach(BATCH, () => run(BATCH));
  };
  const generated = (name: string): MicroCase["subjects"] => {
    const [other] = cases.filter(
      (each) =>
        each.name.endsWith(GENERATED) && name.startsWith(each.name.slice(0, -GENERATED.length)),
    );
    return other === undefined ? {} : { "generated code": work(other.name) };
  };
  return cases
    .filter(({ name }) => !name.endsWith(GENERATED))
    .map(({ name }) => ({
      ...NS,
      sizes: PUT,
      name: `memory/proto/${name.replaceAll(/\ban? |'/g, "").replaceAll(" ", "-")}`,
      about: `${name}; generated code is the same by protobuf-es`,
      subjects: { [OURS]: work(name), ...generated(name) },
    }));
}

const REQUEST: HeaderList = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/etcdserverpb.KV/Put"],
  [":authority", "127.0.0.1:2379"],
  ["content-type", "application/grpc"],
  ["user-agent", "grpc-go/1.26.0"],
  ["te", "trailers"],
];

const RESPONSE: HeaderList = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];

const block = Buffer.alloc(4096);

/** A connection's first request, in full; then all others, which are places in its table. */
function decodeAgain(): Work {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(TABLE_BYTES);
  let fields = 0;
  const sink = { field: () => fields++ };
  decoder.decode(block, 0, encoder.encode(REQUEST, block, 0), sink);
  const again = Buffer.from(block.subarray(0, encoder.encode(REQUEST, block, 0)));
  return nanosecondsEach(BATCH, () => {
    fields = 0;
    for (let i = 0; i < BATCH; i++) decoder.decode(again, 0, again.length, sink);
    return fields;
  });
}

function decodeFirst(): Work {
  const first = Buffer.from(block.subarray(0, new HpackEncoder().encode(REQUEST, block, 0)));
  let fields = 0;
  const sink = { field: () => fields++ };
  return nanosecondsEach(BATCH, () => {
    fields = 0;
    for (let i = 0; i < BATCH; i++) {
      new HpackDecoder(TABLE_BYTES).decode(first, 0, first.length, sink);
    }
    return fields;
  });
}

function encode(): Work {
  const encoder = new HpackEncoder();
  const into = Buffer.alloc(4096);
  encoder.encode(RESPONSE, into, 0);
  return nanosecondsEach(BATCH, () => {
    let bytes = 0;
    for (let i = 0; i < BATCH; i++) bytes += encoder.encode(RESPONSE, into, 0);
    return bytes;
  });
}

export const CODECS: readonly MicroCase[] = [
  ...protobuf(),
  {
    ...NS,
    sizes: FIELDS,
    name: "memory/hpack/decode-first",
    about: "the header block of a connection's first request, in full, with a new table",
    subjects: { [OURS]: decodeFirst },
  },
  {
    ...NS,
    sizes: FIELDS,
    name: "memory/hpack/decode-again",
    about: "the same header block again, by places in the table",
    subjects: { [OURS]: decodeAgain },
  },
  {
    ...NS,
    sizes: FIELDS,
    name: "memory/hpack/encode",
    about: "the header block of a response, by places in the table",
    subjects: { [OURS]: encode },
  },
];
