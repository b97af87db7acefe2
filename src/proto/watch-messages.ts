/**
 * etcdserverpb's messages of a watch: requests are read, responses written.
 *
 * @see etcd api/etcdserverpb/rpc.proto for the field numbers
 */
import { type MessageWriter, written } from "./message-writer.ts";
import { EMPTY_BYTES, FieldReader } from "./protobuf.ts";

export interface WatchCreateRequest {
  readonly kind: "create";
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly startRevision: number;
  readonly progressNotify: boolean;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  readonly prevKv: boolean;
  /** 0: one is chosen. */
  readonly watchId: bigint;
  readonly fragment: boolean;
}

/** `none`: a request with no member set. */
export type WatchRequest =
  | WatchCreateRequest
  | { readonly kind: "cancel"; readonly watchId: bigint }
  | { readonly kind: "progress" }
  | { readonly kind: "none" };

export interface WatchEvent {
  readonly type: "put" | "delete";
  /** Encoded KeyValues. */
  readonly kv: Uint8Array;
  readonly prevKv: Uint8Array | undefined;
}

const NO_PUT = 0n;
const NO_DELETE = 1n;
const DELETE = 1;
const EVENTS = 11;

const outer = new FieldReader();
const fields = new FieldReader();

/** Of several members of the union, the last one counts. @returns the request, or what is wrong with the bytes */
export function decodeWatchRequest(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): WatchRequest | string {
  let request: WatchRequest = { kind: "none" };
  outer.open(bytes, start, end);
  while (outer.next()) {
    const { field } = outer;
    if (field > 3 || !outer.is(2)) continue;
    fields.open(bytes, outer.start, outer.start + outer.length);
    if (field === 1) request = readCreate();
    else if (field === 2) request = readCancel();
    else {
      while (fields.next());
      request = { kind: "progress" };
    }
    if (fields.fault !== undefined) return fields.fault;
  }
  return outer.fault ?? request;
}

function readCreate(): WatchCreateRequest {
  const request = {
    kind: "create" as const,
    key: EMPTY_BYTES,
    rangeEnd: EMPTY_BYTES,
    startRevision: 0,
    progressNotify: false,
    noPut: false,
    noDelete: false,
    prevKv: false,
    watchId: 0n,
    fragment: false,
  };
  while (fields.next()) {
    const { field } = fields;
    if (field === 5) {
      for (const filter of filters()) {
        if (filter === NO_PUT) request.noPut = true;
        else if (filter === NO_DELETE) request.noDelete = true;
      }
      continue;
    }
    if (field > 8 || !fields.is(field <= 2 ? 2 : 0)) continue;
    if (field === 1) request.key = fields.view;
    else if (field === 2) request.rangeEnd = fields.view;
    else if (field === 3) request.startRevision = fields.int64;
    else if (field === 4) request.progressNotify = fields.bool;
    else if (field === 6) request.prevKv = fields.bool;
    else if (field === 7) request.watchId = fields.int64Big;
    else request.fragment = fields.bool;
  }
  return request;
}

/** Of a field that comes packed, or one by one. */
function filters(): readonly bigint[] {
  if (fields.wire === 0) return [fields.int64Big];
  const packed = fields.is(2) ? fields.packed() : [];
  if (packed === undefined) fields.stop("field 5 is no list of numbers");
  return packed ?? [];
}

function readCancel(): WatchRequest {
  let watchId = 0n;
  while (fields.next()) if (fields.field === 1 && fields.is(0)) watchId = fields.int64Big;
  return { kind: "cancel", watchId };
}

/** For clients: in tests and benchmarks. */
export function encodeWatchRequest(request: WatchRequest): Uint8Array {
  return written(writeWatchRequest, request);
}

function writeWatchRequest(to: MessageWriter, request: WatchRequest): void {
  if (request.kind === "create") {
    to.bool(8, request.fragment);
    to.bigint(7, request.watchId);
    to.bool(6, request.prevKv);
    const filtered = Uint8Array.from([
      ...(request.noPut ? [Number(NO_PUT)] : []),
      ...(request.noDelete ? [Number(NO_DELETE)] : []),
    ]);
    to.bytes(5, filtered);
    to.bool(4, request.progressNotify);
    to.int64(3, request.startRevision);
    to.bytes(2, request.rangeEnd);
    to.bytes(1, request.key);
    to.message(1, 0);
  } else if (request.kind === "cancel") {
    to.bigint(1, request.watchId);
    to.message(2, 0);
  } else if (request.kind === "progress") {
    to.message(3, 0);
  }
}

/** As a field of a WatchResponse. */
export function writeEvent(to: MessageWriter, { type, kv, prevKv }: WatchEvent): void {
  const before = to.length;
  if (prevKv !== undefined) to.presentBytes(3, prevKv);
  to.presentBytes(2, kv);
  if (type === "delete") to.presentInt64(1, DELETE);
  to.message(EVENTS, before);
}

export function writeEvents(to: MessageWriter, events: readonly WatchEvent[]): void {
  for (let i = events.length - 1; i >= 0; i--) writeEvent(to, events[i] as WatchEvent);
}

/** What a WatchResponse says beside its events. */
export interface WatchNotice {
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly compactRevision?: number;
  readonly cancelReason?: string;
}

export function writeWatchNotice(to: MessageWriter, notice: WatchNotice): void {
  const { created = false, canceled = false, compactRevision = 0, cancelReason = "" } = notice;
  to.text(6, cancelReason);
  to.int64(5, compactRevision);
  to.bool(4, canceled);
  to.bool(3, created);
}

export function writeFragmentMark(to: MessageWriter): void {
  to.bool(7, true);
}

/** The field `watch_id`: kept beside a watch, and put into each of its responses as it is. Of 0 nothing. */
export function encodeWatchId(watchId: bigint): Uint8Array {
  return written((to, id) => to.bigint(2, id), watchId);
}
