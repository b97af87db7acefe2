/** What `lock` and `elect` share: a client with a session, printing the key that was won, and the words for an end. */
import type { ConcurrencyBase } from "../../client/concurrency/base.ts";
import { KeepAlives } from "../../client/lease/keep-alives.ts";
import { Watches } from "../../client/watch/watches.ts";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import { RANGE_RESPONSE, type RangeResponse } from "../../proto/tables/kv.ts";
import { encode } from "../../proto/tables/message-table.ts";
import { goJsonLine } from "../print/go-json.ts";
import { rangeFields, rangeLines } from "../print/kv.ts";
import type { Views } from "../print/print.ts";
import type { Session } from "../session.ts";

/** Leases are left to themselves in the end, as etcdctl does: what hung on them was given up by name before. */
export async function withBase<T>(
  { rpc }: Pick<Session, "rpc">,
  work: (base: ConcurrencyBase) => Promise<T>,
): Promise<T> {
  const watches = new Watches(rpc);
  const keepAlives = new KeepAlives(rpc);
  try {
    return await work({ rpc, watches, keepAlives });
  } finally {
    await Promise.all([watches.close(), keepAlives.close()]);
  }
}

/** As `get` prints it. */
export function rangeViews(response: RangeResponse, { hex }: Pick<Session, "hex">): Views {
  return {
    simple: () => rangeLines(response, { hex }),
    fields: () => rangeFields(response),
    json: () => goJsonLine(RANGE_RESPONSE, response),
    protobuf: () => encode(RANGE_RESPONSE, response),
  };
}

/** What may end a wait before its time, and etcdctl's words for that. */
export interface Ends {
  /** The process was told to stop. */
  readonly stop: AbortSignal;
  readonly lost: AbortSignal;
  /** Said when the lease is lost. */
  readonly lostText: string;
}

/** @throws Failure for a wait that was ended; whatever it was, if that was not it */
export async function unlessEnded<T>({ stop, lost, lostText }: Ends, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (stop.aborted) throw new Failure(EXIT_ERROR, "context canceled", { cause: error });
    if (lost.aborted) throw new Failure(EXIT_ERROR, lostText, { cause: error });
    throw error;
  }
}

/** Until one of them aborts. */
export function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  return new Promise((resolve) => {
    // A signal keeps no process alive: something must wait that does.
    const alive = setInterval(() => undefined, 2 ** 30);
    const done = (): void => {
      clearInterval(alive);
      resolve();
    };
    if (any.aborted) done();
    else any.addEventListener("abort", done, { once: true });
  });
}
