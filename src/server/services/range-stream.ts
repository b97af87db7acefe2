/**
 * KV.RangeStream: a range of any size, in pages of bounded size, all of one revision. Nothing but one page is held, and
 * the next is read when the client has taken what was sent.
 *
 * The last message carries header, `more` and `count`; before it come KeyValues alone.
 *
 * @see etcd server/etcdserver/v3_server.go, and api.md 4.7
 */
import { latin1 } from "../../base/bytes.ts";
import { nextTurn } from "../../base/turn.ts";
import type { StreamCall } from "../../grpc/service.ts";
import { Code, GrpcError } from "../../grpc/status.ts";
import { checkRange } from "../../mvcc/check-request.ts";
import { rangePage } from "../../mvcc/range.ts";
import { decodeRange } from "../../proto/kv-requests.ts";
import { type RangeRequest, SortOrder, SortTarget } from "../../proto/messages.ts";
import { accepted } from "./accepted.ts";
import type { ServiceContext } from "./service-context.ts";

/** One page, about: reading it must not hold the event loop, and clients take messages of up to 2 MiB. */
const PAGE_BYTES: number = 256 * 1024;
const PAGE_KEYS = 512;

/** Between two turns of the event loop, in milliseconds. */
const SLICE_MS = 2;

export async function rangeStream(
  context: ServiceContext,
  call: StreamCall,
  bytes: Uint8Array,
  start: number,
  end: number,
): Promise<void> {
  const request = accepted(call, decodeRange(bytes, start, end));
  if (request === undefined) return;
  const { member, encoder, revision } = context;
  checkRange(request);
  refuseWhatStreamsCannot(request);
  const atRev = member.readableRevision(request);
  if (request.countOnly) {
    const count = await countOf(context, call, request, atRev);
    call.send(encoder.rangePage({ kvs: [], more: false, count }, revision));
    call.end();
    return;
  }
  const limit = request.limit > 0 ? request.limit : Infinity;
  let from = latin1(request.key);
  const to = latin1(request.rangeEnd);
  let sent = 0;
  let sliceEndMs = performance.now() + SLICE_MS;
  while (!call.ended) {
    member.assertOpen();
    const limits = { keys: Math.min(PAGE_KEYS, limit - sent), bytes: PAGE_BYTES };
    const { kvs, next } = rangePage(
      member.store,
      { start: from, end: to },
      atRev,
      request.keysOnly,
      limits,
    );
    sent += kvs.length;
    if (next === undefined || sent >= limit) {
      const more = next !== undefined;
      const count = more ? await countOf(context, call, request, atRev) : sent;
      call.send(encoder.rangePage({ kvs, more, count }, revision));
      call.end();
      return;
    }
    from = next;
    const hasRoom = call.send(encoder.rangePage({ kvs, more: false, count: 0 }, undefined));
    if (!hasRoom) await call.drained();
    else if (performance.now() >= sliceEndMs) await nextTurn();
    else continue;
    sliceEndMs = performance.now() + SLICE_MS;
  }
}

/** @throws GrpcError */
function refuseWhatStreamsCannot(request: RangeRequest): void {
  const { sortTarget, sortOrder } = request;
  if (sortTarget !== SortTarget.key || sortOrder === SortOrder.descend) {
    throw new GrpcError(Code.unimplemented, "RangeStream does not support custom sort orders");
  }
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  if (minModRevision || maxModRevision || minCreateRevision || maxCreateRevision) {
    throw new GrpcError(Code.unimplemented, "RangeStream does not support revision filters");
  }
}

/** Keys of the whole range, whatever the limit. If the call ends or fails meanwhile, nobody waits for it any more. */
function countOf(
  { member, turns }: ServiceContext,
  call: StreamCall,
  request: RangeRequest,
  revision: number,
): Promise<number> {
  return new Promise((resolve) => {
    function* count(): Generator<undefined, void> {
      const outcome = yield* member.rangeSteps({ ...request, revision, countOnly: true });
      resolve(outcome.count);
    }
    turns.run(call, count());
  });
}
