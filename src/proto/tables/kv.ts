/** The key space: ranges, puts, deletes, transactions, compactions. @see etcd api/etcdserverpb/rpc.proto */
import { RESPONSE_HEADER, type ResponseHeader } from "./header.ts";
import { KEY_VALUE, type KeyValue } from "./key-value.ts";
import {
  bool,
  bytes,
  enumeration,
  int64,
  type MessageTable,
  type Method,
  message,
  method,
  optional,
  repeated,
  sub,
} from "./message-table.ts";

export interface RangeRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly limit: bigint;
  readonly revision: bigint;
  readonly sortOrder: number;
  readonly sortTarget: number;
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  readonly minModRevision: bigint;
  readonly maxModRevision: bigint;
  readonly minCreateRevision: bigint;
  readonly maxCreateRevision: bigint;
}

export const RANGE_REQUEST: MessageTable<RangeRequest> = message("etcdserverpb.RangeRequest", {
  key: bytes(1),
  rangeEnd: bytes(2),
  limit: int64(3),
  revision: int64(4),
  sortOrder: enumeration(5),
  sortTarget: enumeration(6),
  serializable: bool(7),
  keysOnly: bool(8),
  countOnly: bool(9),
  minModRevision: int64(10),
  maxModRevision: int64(11),
  minCreateRevision: int64(12),
  maxCreateRevision: int64(13),
});

export interface RangeResponse {
  readonly header: ResponseHeader | undefined;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: bigint;
}

export const RANGE_RESPONSE: MessageTable<RangeResponse> = message("etcdserverpb.RangeResponse", {
  header: sub(1, () => RESPONSE_HEADER),
  kvs: repeated(sub(2, () => KEY_VALUE)),
  more: bool(3),
  count: int64(4),
});

export interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease: bigint;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export const PUT_REQUEST: MessageTable<PutRequest> = message("etcdserverpb.PutRequest", {
  key: bytes(1),
  value: bytes(2),
  lease: int64(3),
  prevKv: bool(4),
  ignoreValue: bool(5),
  ignoreLease: bool(6),
});

export interface PutResponse {
  readonly header: ResponseHeader | undefined;
  readonly prevKv: KeyValue | undefined;
}

export const PUT_RESPONSE: MessageTable<PutResponse> = message("etcdserverpb.PutResponse", {
  header: sub(1, () => RESPONSE_HEADER),
  prevKv: sub(2, () => KEY_VALUE),
});

export interface DeleteRangeRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly prevKv: boolean;
}

export const DELETE_RANGE_REQUEST: MessageTable<DeleteRangeRequest> = message(
  "etcdserverpb.DeleteRangeRequest",
  {
    key: bytes(1),
    rangeEnd: bytes(2),
    prevKv: bool(3),
  },
);

export interface DeleteRangeResponse {
  readonly header: ResponseHeader | undefined;
  readonly deleted: bigint;
  readonly prevKvs: readonly KeyValue[];
}

export const DELETE_RANGE_RESPONSE: MessageTable<DeleteRangeResponse> = message(
  "etcdserverpb.DeleteRangeResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    deleted: int64(2),
    prevKvs: repeated(sub(3, () => KEY_VALUE)),
  },
);

export interface RequestOp {
  readonly requestRange: RangeRequest | undefined;
  readonly requestPut: PutRequest | undefined;
  readonly requestDeleteRange: DeleteRangeRequest | undefined;
  readonly requestTxn: TxnRequest | undefined;
}

export const REQUEST_OP: MessageTable<RequestOp> = message("etcdserverpb.RequestOp", {
  requestRange: sub(1, () => RANGE_REQUEST),
  requestPut: sub(2, () => PUT_REQUEST),
  requestDeleteRange: sub(3, () => DELETE_RANGE_REQUEST),
  requestTxn: sub(4, () => TXN_REQUEST),
});

export interface ResponseOp {
  readonly responseRange: RangeResponse | undefined;
  readonly responsePut: PutResponse | undefined;
  readonly responseDeleteRange: DeleteRangeResponse | undefined;
  readonly responseTxn: TxnResponse | undefined;
}

export const RESPONSE_OP: MessageTable<ResponseOp> = message("etcdserverpb.ResponseOp", {
  responseRange: sub(1, () => RANGE_RESPONSE),
  responsePut: sub(2, () => PUT_RESPONSE),
  responseDeleteRange: sub(3, () => DELETE_RANGE_RESPONSE),
  responseTxn: sub(4, () => TXN_RESPONSE),
});

export interface Compare {
  readonly result: number;
  readonly target: number;
  readonly key: Uint8Array;
  readonly version: bigint | undefined;
  readonly createRevision: bigint | undefined;
  readonly modRevision: bigint | undefined;
  readonly value: Uint8Array | undefined;
  readonly lease: bigint | undefined;
  readonly rangeEnd: Uint8Array;
}

export const COMPARE: MessageTable<Compare> = message("etcdserverpb.Compare", {
  result: enumeration(1),
  target: enumeration(2),
  key: bytes(3),
  version: optional(int64(4)),
  createRevision: optional(int64(5)),
  modRevision: optional(int64(6)),
  value: optional(bytes(7)),
  lease: optional(int64(8)),
  rangeEnd: bytes(64),
});

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export const TXN_REQUEST: MessageTable<TxnRequest> = message("etcdserverpb.TxnRequest", {
  compare: repeated(sub(1, () => COMPARE)),
  success: repeated(sub(2, () => REQUEST_OP)),
  failure: repeated(sub(3, () => REQUEST_OP)),
});

export interface TxnResponse {
  readonly header: ResponseHeader | undefined;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

export const TXN_RESPONSE: MessageTable<TxnResponse> = message("etcdserverpb.TxnResponse", {
  header: sub(1, () => RESPONSE_HEADER),
  succeeded: bool(2),
  responses: repeated(sub(3, () => RESPONSE_OP)),
});

export interface CompactionRequest {
  readonly revision: bigint;
  readonly physical: boolean;
}

export const COMPACTION_REQUEST: MessageTable<CompactionRequest> = message(
  "etcdserverpb.CompactionRequest",
  {
    revision: int64(1),
    physical: bool(2),
  },
);

export interface CompactionResponse {
  readonly header: ResponseHeader | undefined;
}

export const COMPACTION_RESPONSE: MessageTable<CompactionResponse> = message(
  "etcdserverpb.CompactionResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export const KV_METHODS: {
  readonly range: Method<RangeRequest, RangeResponse>;
  readonly put: Method<PutRequest, PutResponse>;
  readonly deleteRange: Method<DeleteRangeRequest, DeleteRangeResponse>;
  readonly txn: Method<TxnRequest, TxnResponse>;
  readonly compact: Method<CompactionRequest, CompactionResponse>;
} = {
  range: method("/etcdserverpb.KV/Range", RANGE_REQUEST, RANGE_RESPONSE),
  put: method("/etcdserverpb.KV/Put", PUT_REQUEST, PUT_RESPONSE),
  deleteRange: method("/etcdserverpb.KV/DeleteRange", DELETE_RANGE_REQUEST, DELETE_RANGE_RESPONSE),
  txn: method("/etcdserverpb.KV/Txn", TXN_REQUEST, TXN_RESPONSE),
  compact: method("/etcdserverpb.KV/Compact", COMPACTION_REQUEST, COMPACTION_RESPONSE),
};
