/** @see grpc doc/statuscodes.md */
export const Code = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

const CODE_NAMES: readonly string[] = Object.keys(Code).map((name) =>
  name === "ok" ? "OK" : name.charAt(0).toUpperCase() + name.slice(1),
);

/** `OK`, `NotFound`, `DeadlineExceeded`: as metrics have it. */
export function codeName(code: number): string {
  return CODE_NAMES[code] ?? `Code(${code})`;
}

/** How a call ends: a code, and for all but 0 a text. Clients match on the text. */
export interface Status {
  readonly code: number;
  readonly message: string;
}

/** Ends a call with this very status. */
export class GrpcError extends Error {
  override readonly name: string = "GrpcError";
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The text, with code 13, for a request that is no protobuf. */
export function malformedMessage(why: string): string {
  return `grpc: failed to unmarshal the received message: ${why}`;
}
