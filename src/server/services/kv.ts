/**
 * etcdserverpb.KV. One key is read and answered at once; ranges go in steps (turns.ts), and a large answer in parts.
 * Changes are answered from callbacks, in the order of the log.
 *
 * @see etcd server/etcdserver/api/v3rpc/key.go, and api.md 4
 */
import { equalBytes, utf8 } from "../../base/bytes.ts";
import type { Service, UnaryCall } from "../../grpc/service.ts";
import {
  decodeCompaction,
  decodeDeleteRange,
  decodePut,
  decodeRange,
  decodeTxn,
} from "../../proto/kv-requests.ts";
import { isLarge, MessageParts } from "../../proto/message-parts.ts";
import type { RangeRequest } from "../../proto/messages.ts";
import { accepted } from "./accepted.ts";
import { rangeStream } from "./range-stream.ts";
import { replyWith } from "./reply-with.ts";
import type { ServiceContext } from "./service-context.ts";

/**
 * What etcdctl, and others who ask whether a member is well, read for that: getting it, linearizably, takes a member that
 * can still agree to something. One whose disk has failed goes on to read all else.
 */
const HEALTH_KEY = utf8("health");

/** KeyValues of a large answer that are gathered in one step. */
const STEP_KEYS = 1024;

type Handle = (call: UnaryCall, bytes: Uint8Array, start: number, end: number) => void;

export function kvService(context: ServiceContext): Service {
  const unary = (handle: Handle) => ({ kind: "unary" as const, handle });
  return {
    name: "etcdserverpb.KV",
    methods: {
      Range: unary((call, bytes, start, end) => range(context, call, bytes, start, end)),
      RangeStream: {
        kind: "serverStream",
        handle: (call, bytes, start, end) => rangeStream(context, call, bytes, start, end),
      },
      Put: unary((call, bytes, start, end) => put(context, call, bytes, start, end)),
      DeleteRange: unary((call, bytes, start, end) =>
        deleteRange(context, call, bytes, start, end),
      ),
      Txn: unary((call, bytes, start, end) => txn(context, call, bytes, start, end)),
      Compact: unary((call, bytes, start, end) => compact(context, call, bytes, start, end)),
    },
  };
}

function range(
  context: ServiceContext,
  call: UnaryCall,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const request = accepted(call, decodeRange(bytes, start, end));
  if (request === undefined) return;
  const { member, encoder, turns } = context;
  if (request.rangeEnd.length > 0) {
    turns.run(call, answerRange(context, call, request));
    return;
  }
  if (!request.serializable && equalBytes(request.key, HEALTH_KEY)) member.assertWritable();
  const outcome = member.range(request);
  call.reply(encoder.range(outcome, context.revision));
}

function* answerRange(
  context: ServiceContext,
  call: UnaryCall,
  request: RangeRequest,
): Generator<undefined, void> {
  const { member, encoder } = context;
  const { revision } = context;
  const outcome = yield* member.rangeSteps(request);
  member.assertOpen();
  if (!isLarge(outcome.kvs)) {
    call.reply(encoder.range(outcome, revision));
    return;
  }
  const parts = new MessageParts();
  encoder.beginRange(parts, revision);
  for (let i = 0; i < outcome.kvs.length; i++) {
    parts.addKeyValue(outcome.kvs[i] as Uint8Array);
    if (i % STEP_KEYS === STEP_KEYS - 1) yield;
  }
  encoder.endRange(parts, outcome);
  call.reply(...parts.take());
}

function put(
  { member, encoder, timeout }: ServiceContext,
  call: UnaryCall,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const request = accepted(call, decodePut(bytes, start, end));
  if (request === undefined) return;
  timeout.watch(call);
  member.putAndAnswer(request, (error, result) => {
    if (result === undefined) call.failWith(error);
    else call.reply(encoder.put(result));
  });
}

function deleteRange(
  { member, encoder, timeout }: ServiceContext,
  call: UnaryCall,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const request = accepted(call, decodeDeleteRange(bytes, start, end));
  if (request === undefined) return;
  timeout.watch(call);
  replyWith(call, member.deleteRange(request), (result) => encoder.deleteRange(result));
}

function txn(
  { member, encoder, timeout }: ServiceContext,
  call: UnaryCall,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const request = accepted(call, decodeTxn(bytes, start, end));
  if (request === undefined) return;
  timeout.watch(call);
  replyWith(call, member.txn(request), (result) => encoder.txn(result));
}

function compact(
  context: ServiceContext,
  call: UnaryCall,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const request = accepted(call, decodeCompaction(bytes, start, end));
  if (request === undefined) return;
  const { member, encoder, timeout } = context;
  // What a physical one waits for takes as long as it takes.
  if (!request.physical) timeout.watch(call);
  replyWith(call, member.compact(request), () => encoder.empty(context.revision));
}
