/**
 * A process that puts or gets at a steady rate: `load-side.js ORDER`, the order in JSON. It is told what to do by
 * messages, and answers each.
 */
import { FieldWriter } from "../../src/proto/protobuf.ts";
import { xorshift32 } from "../../test/support/workload.ts";
import { KEY_BYTES, keyOf, valuesOf } from "../store/workload.ts";
import { framed, getFrame } from "../wire/frames.ts";
import { RawClient } from "../wire/raw-client.ts";
import { type LoadFigure, PacedLoad } from "./paced-load.ts";

export interface LoadOrder {
  readonly operation: "put" | "get";
  readonly port: number;
  /** A second. */
  readonly rate: number;
  /** In the store; which of them is asked for is chance. */
  readonly keys: number;
  readonly valueBytes: number;
  readonly connections: number;
}

/** `cut`: what was seen since the last one. `stop`: the same, and all that was on its way is answered. */
export type LoadWord = "start" | "cut" | "stop";

export type LoadAnswer =
  | { readonly figure: LoadFigure }
  | { readonly started: true }
  | { readonly failure: string };

const IN_FLIGHT_MAX = 1000;
const PATIENCE_MS = 10_000;
const PATH = { put: "/etcdserverpb.KV/Put", get: "/etcdserverpb.KV/Range" } as const;
const SEED = { put: 77, get: 78 } as const;

/** Frames with another key, and another value, each time; nothing is encoded while the clock runs. */
function frames({ operation, keys, valueBytes }: LoadOrder): () => Buffer {
  const next = xorshift32(SEED[operation]);
  const value = valuesOf(valueBytes);
  const frame =
    operation === "get"
      ? getFrame(0)
      : framed(
          new FieldWriter()
            .message(1, Buffer.from(keyOf(0)))
            .message(2, value(0))
            .bytes(),
        );
  const keyAt = frame.indexOf(keyOf(0));
  const valueAt = frame.length - valueBytes;
  let i = 0;
  return () => {
    const mine = Buffer.from(frame);
    mine.write(keyOf(next() % keys), keyAt, KEY_BYTES, "latin1");
    if (operation === "put") value(i++).copy(mine, valueAt);
    return mine;
  };
}

async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? "") as LoadOrder;
  const clients = await Promise.all(
    Array.from({ length: order.connections }, () => RawClient.open(order.port)),
  );
  const frame = frames(order);
  const path = PATH[order.operation];
  let failure: string | undefined;
  const load = new PacedLoad({
    rate: order.rate,
    inFlightMax: IN_FLIGHT_MAX,
    patienceMs: PATIENCE_MS,
    send: (i, done) => {
      const client = clients[i % clients.length] as RawClient;
      // A call that fails is trailers alone.
      let ok = false;
      client.call(path, frame(), true, {
        message: () => {
          ok = true;
        },
        ended: () => {
          failure ??= client.failure;
          done(ok && client.failure === undefined);
        },
      });
    },
  });
  const obey = async (word: LoadWord): Promise<LoadAnswer> => {
    if (failure !== undefined) return { failure };
    if (word === "start") {
      load.start();
      return { started: true };
    }
    if (word === "stop") await load.stop();
    return { figure: load.cut() };
  };
  process.on("message", (word: LoadWord) => {
    void obey(word).then((answer) => process.send?.(answer));
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ started: true } satisfies LoadAnswer);
}

await main();
