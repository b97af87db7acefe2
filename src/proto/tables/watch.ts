/** Watches and what they tell. @see etcd api/etcdserverpb/rpc.proto */
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
  repeated,
  string,
  sub,
} from "./message-table.ts";

export interface Event {
  readonly type: number;
  readonly kv: KeyValue | undefined;
  readonly prevKv: KeyValue | undefined;
}

export const EVENT: MessageTable<Event> = message("mvccpb.Event", {
  type: enumeration(1),
  kv: sub(2, () => KEY_VALUE),
  prevKv: sub(3, () => KEY_VALUE),
});

export interface WatchRequest {
  readonly createRequest: WatchCreateRequest | undefined;
  readonly cancelRequest: WatchCancelRequest | undefined;
  readonly progressRequest: WatchProgressRequest | undefined;
}

export const WATCH_REQUEST: MessageTable<WatchRequest> = message("etcdserverpb.WatchRequest", {
  createRequest: sub(1, () => WATCH_CREATE_REQUEST),
  cancelRequest: sub(2, () => WATCH_CANCEL_REQUEST),
  progressRequest: sub(3, () => WATCH_PROGRESS_REQUEST),
});

export interface WatchCreateRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly startRevision: bigint;
  readonly progressNotify: boolean;
  readonly filters: readonly number[];
  readonly prevKv: boolean;
  readonly watchId: bigint;
  readonly fragment: boolean;
}

export const WATCH_CREATE_REQUEST: MessageTable<WatchCreateRequest> = message(
  "etcdserverpb.WatchCreateRequest",
  {
    key: bytes(1),
    rangeEnd: bytes(2),
    startRevision: int64(3),
    progressNotify: bool(4),
    filters: repeated(enumeration(5)),
    prevKv: bool(6),
    watchId: int64(7),
    fragment: bool(8),
  },
);

export interface WatchCancelRequest {
  readonly watchId: bigint;
}

export const WATCH_CANCEL_REQUEST: MessageTable<WatchCancelRequest> = message(
  "etcdserverpb.WatchCancelRequest",
  {
    watchId: int64(1),
  },
);

export type WatchProgressRequest = Readonly<Record<never, never>>;

export const WATCH_PROGRESS_REQUEST: MessageTable<WatchProgressRequest> = message(
  "etcdserverpb.WatchProgressRequest",
  {},
);

export interface WatchResponse {
  readonly header: ResponseHeader | undefined;
  readonly watchId: bigint;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: bigint;
  readonly cancelReason: string;
  readonly fragment: boolean;
  readonly events: readonly Event[];
}

export const WATCH_RESPONSE: MessageTable<WatchResponse> = message("etcdserverpb.WatchResponse", {
  header: sub(1, () => RESPONSE_HEADER),
  watchId: int64(2),
  created: bool(3),
  canceled: bool(4),
  compactRevision: int64(5),
  cancelReason: string(6),
  fragment: bool(7),
  events: repeated(sub(11, () => EVENT)),
});

export const WATCH_METHODS: {
  readonly watch: Method<WatchRequest, WatchResponse>;
} = {
  watch: method("/etcdserverpb.Watch/Watch", WATCH_REQUEST, WATCH_RESPONSE),
};
