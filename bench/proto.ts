/**
 * How long does it take to write and to read a put, as the log keeps it and as the page file does, and the responses of
 * a server, in nanoseconds? A key of 17 bytes, a value of 256.
 *
 *   npm run build && node dist/bench/proto.js              a smoke run
 *   npm run build && BENCH=full node dist/bench/proto.js   the figures: the median of 7 alternated rounds
 */
import { fileURLToPath } from "node:url";
import { decodeRequest, RequestEncoder } from "../src/proto/internal-request.ts";
import { decodeKeyValueAt, keyValueBytesMax, putKeyValue } from "../src/proto/key-value.ts";
import { decodePut, encodePut } from "../src/proto/kv-requests.ts";
import type { LoggedRequest, PutRequest } from "../src/proto/messages.ts";
import { responseCases } from "./proto-responses.ts";

export interface ProtoCase {
  readonly name: string;
  /** @returns a number made of the results, so that no work can be dropped. */
  run(times: number): number;
}

export function protoCases(): ProtoCase[] {
  const key = Uint8Array.from({ length: 17 }, (_, i) => 97 + i);
  const value = Uint8Array.from({ length: 256 }, (_, i) => i);
  const put: PutRequest = {
    kind: "put",
    key,
    value,
    lease: 0n,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  };
  const logged: LoggedRequest = {
    id: 0xc84c_a201_c76d_9401n,
    username: "",
    authRevision: 0,
    request: put,
  };
  const encoder = new RequestEncoder();
  const request = encoder.encode(logged).slice();
  const alone = encodePut(put);
  const room = new Uint8Array(keyValueBytesMax(17, 256));
  const kvBytes = putKeyValue(room, 0, key, 1_000_000, 1_000_001, 3, value, 0n);
  return [
    {
      name: "encode a logged put",
      run: (times): number => {
        let digest = 0;
        for (let i = 0; i < times; i++) digest += encoder.encode(logged).length;
        return digest;
      },
    },
    {
      name: "decode a logged put",
      run: (times): number => {
        let digest = 0;
        for (let i = 0; i < times; i++)
          digest += typeof decodeRequest(request) === "object" ? 1 : 0;
        return digest;
      },
    },
    {
      name: "decode a put",
      run: (times): number => {
        let digest = 0;
        for (let i = 0; i < times; i++) digest += typeof decodePut(alone) === "object" ? 1 : 0;
        return digest;
      },
    },
    {
      name: "encode a key-value",
      run: (times): number => {
        let digest = 0;
        for (let i = 0; i < times; i++) {
          digest += putKeyValue(room, 0, key, 1_000_000, 1_000_001, 3, value, 0n);
        }
        return digest;
      },
    },
    {
      name: "decode a key-value",
      run: (times): number => {
        let digest = 0;
        for (let i = 0; i < times; i++) {
          digest += decodeKeyValueAt(room, 0, kvBytes)?.version ?? 0;
        }
        return digest;
      },
    },
    ...responseCases(),
  ];
}

export interface ProtoFigure {
  readonly name: string;
  /** The median of the rounds. */
  readonly nanoseconds: number;
  readonly digest: number;
}

/** Runs every case once per round, in turn, so that a slow moment of the machine falls on all of them. */
export function measureProto(options: { rounds: number; times: number }): ProtoFigure[] {
  const cases = protoCases().map((one) => ({ ...one, figures: [] as number[], digest: 0 }));
  for (let round = 0; round < options.rounds; round++) {
    for (const one of cases) {
      const from = performance.now();
      one.digest = one.run(options.times);
      one.figures.push(((performance.now() - from) * 1e6) / options.times);
    }
  }
  return cases.map(({ name, figures, digest }) => {
    const sorted = figures.toSorted((a, b) => a - b);
    return { name, nanoseconds: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, digest };
  });
}

function main(): void {
  const full = process.env.BENCH === "full";
  const figures = measureProto(
    full ? { rounds: 7, times: 1_000_000 } : { rounds: 1, times: 1_000 },
  );
  for (const { name, nanoseconds } of figures)
    console.log(`${name}: ${Math.round(nanoseconds)} ns`);
  console.log({ node: process.version, digest: figures.map(({ digest }) => digest).join(" ") });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
