/**
 * Answers about keys, read from their bytes: a key-value stays as it came until something of it is asked for.
 * @see etcd api/etcdserverpb/rpc.proto
 */
import type {
  DeleteResponse,
  OpResponse,
  PutResponse,
  RangeResponse,
  TxnResponse,
} from "../../api/responses.ts";
import { KeyValue } from "../../api/value.ts";
import { FieldReader } from "../../proto/protobuf.ts";
import { DecodeError } from "../../proto/tables/message-table.ts";

/** All are in `bytes[start, end)`. @param revision  if the answer's own head does not say */
type Reader<A> = (bytes: Uint8Array, start?: number, end?: number, revision?: bigint) => A;

/** @throws DecodeError */
export const readRangeResponse: Reader<RangeResponse> = (bytes, start, end, outer = 0n) => {
  const reader = new FieldReader().open(bytes, start, end);
  const kvs: KeyValue[] = [];
  let revision = outer;
  let more = false;
  let count = 0;
  while (reader.next()) {
    if (reader.field === 1) revision = headRevision(reader) || outer;
    else if (reader.field === 2 && reader.is(2)) kvs.push(new KeyValue(reader.view));
    else if (reader.field === 3) more = reader.bool;
    else if (reader.field === 4) count = reader.int64;
  }
  assertRead(reader, "RangeResponse");
  return { revision, kvs, more, count };
};

/** @throws DecodeError */
export const readPutResponse: Reader<PutResponse> = (bytes, start, end, outer = 0n) => {
  const reader = new FieldReader().open(bytes, start, end);
  let revision = outer;
  let prevKv: KeyValue | undefined;
  while (reader.next()) {
    if (reader.field === 1) revision = headRevision(reader) || outer;
    else if (reader.field === 2 && reader.is(2)) prevKv = new KeyValue(reader.view);
  }
  assertRead(reader, "PutResponse");
  return { revision, prevKv };
};

/** @throws DecodeError */
export const readDeleteResponse: Reader<DeleteResponse> = (bytes, start, end, outer = 0n) => {
  const reader = new FieldReader().open(bytes, start, end);
  const prevKvs: KeyValue[] = [];
  let revision = outer;
  let deleted = 0;
  while (reader.next()) {
    if (reader.field === 1) revision = headRevision(reader) || outer;
    else if (reader.field === 2) deleted = reader.int64;
    else if (reader.field === 3 && reader.is(2)) prevKvs.push(new KeyValue(reader.view));
  }
  assertRead(reader, "DeleteRangeResponse");
  return { revision, deleted, prevKvs };
};

/** @throws DecodeError */
export const readTxnResponse: Reader<TxnResponse> = (bytes, start, end, outer = 0n) => {
  const reader = new FieldReader().open(bytes, start, end);
  const responses: OpResponse[] = [];
  let revision = outer;
  let succeeded = false;
  while (reader.next()) {
    // The head comes first: it is the first field.
    if (reader.field === 1) revision = headRevision(reader) || outer;
    else if (reader.field === 2) succeeded = reader.bool;
    else if (reader.field === 3 && reader.is(2)) {
      responses.push(opResponse(bytes, reader.start, reader.start + reader.length, revision));
    }
  }
  assertRead(reader, "TxnResponse");
  return { revision, succeeded, responses };
};

function opResponse(bytes: Uint8Array, start: number, end: number, outer: bigint): OpResponse {
  const reader = new FieldReader().open(bytes, start, end);
  while (reader.next()) {
    if (reader.field > 4 || !reader.is(2)) continue;
    const to = reader.start + reader.length;
    switch (reader.field) {
      case 1:
        return { kind: "range", ...readRangeResponse(bytes, reader.start, to, outer) };
      case 2:
        return { kind: "put", ...readPutResponse(bytes, reader.start, to, outer) };
      case 3:
        return { kind: "delete", ...readDeleteResponse(bytes, reader.start, to, outer) };
      case 4:
        return { kind: "txn", ...readTxnResponse(bytes, reader.start, to, outer) };
    }
  }
  throw new DecodeError(
    `etcdserverpb.ResponseOp: ${reader.fault ?? "an operation without answer"}`,
  );
}

/** Of the ResponseHeader that `reader` stands at; 0n if it has none. */
function headRevision(reader: FieldReader): bigint {
  if (!reader.is(2)) return 0n;
  const end = reader.start + reader.length;
  const head = new FieldReader().open(reader.bytes, reader.start, end);
  let revision = 0n;
  while (head.next()) if (head.field === 3) revision = head.int64Big;
  if (head.fault !== undefined) reader.stop(head.fault);
  return revision;
}

function assertRead({ fault }: FieldReader, what: string): void {
  if (fault !== undefined) throw new DecodeError(`etcdserverpb.${what}: ${fault}`);
}
