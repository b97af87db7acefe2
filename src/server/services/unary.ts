/** Calls that nobody makes often: their messages are decoded and encoded by the generated code. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { reasonOf } from "../../base/errors.ts";
import type { Call, Method, UnaryCall } from "../../grpc/service.ts";
import { understood } from "./accepted.ts";

type Answer<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  call: UnaryCall,
) => MessageInitShape<O> | Promise<MessageInitShape<O>>;

/** @returns undefined if the bytes are no such message: the call has been refused then */
export function decoded<I extends DescMessage>(
  call: Call,
  schema: I,
  bytes: Uint8Array,
  start: number,
  end: number,
): MessageShape<I> | undefined {
  try {
    return fromBinary(schema, bytes.subarray(start, end));
  } catch (error) {
    understood(call, reasonOf(error));
    return undefined;
  }
}

/** @param answer  may throw, or reject: see Method */
export function unary<I extends DescMessage, O extends DescMessage>(
  input: I,
  output: O,
  answer: Answer<I, O>,
): Method {
  return {
    kind: "unary",
    handle: async (call, bytes, start, end) => {
      const request = decoded(call, input, bytes, start, end);
      if (request === undefined) return;
      const response = await answer(request, call);
      call.reply(toBinary(output, create(output, response)));
    },
  };
}
