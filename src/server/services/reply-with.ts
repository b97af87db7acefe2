import type { UnaryCall } from "../../grpc/service.ts";

/** Answers a call with what comes of it. @param encode  its result is sent before it returns, so it may be used again */
export function replyWith<T>(
  call: UnaryCall,
  result: Promise<T>,
  encode: (result: T) => Uint8Array,
): void {
  result.then(
    (value) => call.reply(encode(value)),
    (error: unknown) => call.failWith(error),
  );
}
