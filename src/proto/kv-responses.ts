/**
 * etcdserverpb's responses from the key space. KeyValues come encoded, as they are stored, and are copied as they are.
 *
 * @see etcd api/etcdserverpb/rpc.proto for the field numbers
 */
import type { MessageWriter } from "./message-writer.ts";
import { writeOpHeader } from "./response-header.ts";

export interface RangeResponse {
  /** Encoded, in order. */
  readonly kvs: readonly Uint8Array[];
  readonly more: boolean;
  readonly count: number;
}

export interface PutResponse {
  readonly revision: number;
  readonly prevKv: Uint8Array | undefined;
}

export interface DeleteRangeResponse {
  readonly revision: number;
  readonly deleted: number;
  readonly prevKvs: readonly Uint8Array[];
}

export interface TxnResponse {
  readonly revision: number;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

export type ResponseOp =
  | ({ readonly kind: "range"; readonly revision: number } & RangeResponse)
  | ({ readonly kind: "put" } & PutResponse)
  | ({ readonly kind: "deleteRange" } & DeleteRangeResponse)
  | ({ readonly kind: "txn" } & TxnResponse);

export function writeRangeResponse(to: MessageWriter, range: RangeResponse): void {
  to.int64(4, range.count);
  to.bool(3, range.more);
  writeKeyValues(to, 2, range.kvs);
}

export function writePutResponse(to: MessageWriter, { prevKv }: PutResponse): void {
  if (prevKv !== undefined) to.presentBytes(2, prevKv);
}

export function writeDeleteRangeResponse(
  to: MessageWriter,
  { deleted, prevKvs }: DeleteRangeResponse,
): void {
  writeKeyValues(to, 3, prevKvs);
  to.int64(2, deleted);
}

export function writeTxnResponse(to: MessageWriter, { succeeded, responses }: TxnResponse): void {
  for (let i = responses.length - 1; i >= 0; i--) {
    const before = to.length;
    writeResponseOp(to, responses[i] as ResponseOp);
    to.message(3, before);
  }
  to.bool(2, succeeded);
}

/** Operations have the revision alone in their headers; a transaction within has an empty one. */
function writeResponseOp(to: MessageWriter, op: ResponseOp): void {
  const before = to.length;
  switch (op.kind) {
    case "range":
      writeRangeResponse(to, op);
      writeOpHeader(to, op.revision);
      to.message(1, before);
      break;
    case "put":
      writePutResponse(to, op);
      writeOpHeader(to, op.revision);
      to.message(2, before);
      break;
    case "deleteRange":
      writeDeleteRangeResponse(to, op);
      writeOpHeader(to, op.revision);
      to.message(3, before);
      break;
    case "txn":
      writeTxnResponse(to, op);
      writeOpHeader(to, 0);
      to.message(4, before);
      break;
  }
}

function writeKeyValues(to: MessageWriter, field: number, kvs: readonly Uint8Array[]): void {
  for (let i = kvs.length - 1; i >= 0; i--) to.presentBytes(field, kvs[i] as Uint8Array);
}
