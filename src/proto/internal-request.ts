/**
 * etcdserverpb.InternalRaftRequest: what a normal entry of the log holds. 100 header {1 ID, 2 username,
 * 3 auth_revision}, and one of the requests, each under a number of its own; 1 ID and 2 v2 are of the past.
 *
 * @see etcd api/etcdserverpb/raft_internal.proto
 */
import { invariant } from "../base/invariant.ts";
import {
  decodeClusterMemberAttrSet,
  decodeClusterVersionSet,
  decodeDowngradeInfoSet,
  writeClusterMemberAttrSet,
  writeClusterVersionSet,
  writeDowngradeInfoSet,
} from "./cluster-requests.ts";
import {
  decodeCompaction,
  decodeDeleteRange,
  decodePut,
  decodeRange,
  decodeTxn,
  writeCompaction,
  writeDeleteRange,
  writePut,
  writeRange,
  writeTxn,
} from "./kv-requests.ts";
import {
  decodeAlarm,
  decodeLeaseCheckpoint,
  decodeLeaseGrant,
  decodeLeaseRevoke,
  writeAlarm,
  writeLeaseCheckpoint,
  writeLeaseGrant,
  writeLeaseRevoke,
} from "./lease-requests.ts";
import { MessageWriter } from "./message-writer.ts";
import type { LoggedRequest, Request } from "./messages.ts";
import { EMPTY_BYTES, FieldReader } from "./protobuf.ts";
import { decodeV2Request, type V2Request } from "./v2-request.ts";

const V2 = 2;
const HEADER = 100;

/** By field number. Those of auth are kept as bytes: see `isAuth`. */
const DECODERS: Readonly<
  Record<number, (bytes: Uint8Array, start: number, end: number) => Request | string>
> = {
  3: decodeRange,
  4: decodePut,
  5: decodeDeleteRange,
  6: decodeTxn,
  7: decodeCompaction,
  8: decodeLeaseGrant,
  9: decodeLeaseRevoke,
  10: decodeAlarm,
  11: decodeLeaseCheckpoint,
  1300: decodeClusterVersionSet,
  1301: decodeClusterMemberAttrSet,
  1302: decodeDowngradeInfoSet,
};

function isAuth(field: number): boolean {
  return (
    field === 1000 ||
    (field >= 1011 && field <= 1013) ||
    (field >= 1100 && field <= 1107) ||
    (field >= 1200 && field <= 1204)
  );
}

/**
 * Encodes one request after the other in the same memory. A result of up to 64 KiB is a view that the next call
 * overwrites, which is what `Wal.append` copies; a longer one is its own.
 */
export class RequestEncoder {
  readonly #writer = new MessageWriter();

  encode(logged: LoggedRequest): Uint8Array {
    this.#writer.clear();
    writeLogged(this.#writer, logged);
    return this.#writer.take();
  }
}

const encoder = new RequestEncoder();

/** As `RequestEncoder`, in memory of its own. */
export function encodeRequest(logged: LoggedRequest): Uint8Array {
  return encoder.encode(logged).slice();
}

function writeLogged(to: MessageWriter, logged: LoggedRequest): void {
  const { request } = logged;
  const field = request === undefined ? 0 : fieldOf(request);
  // From the last field to the first; the header is between those below 100 and the others.
  if (request !== undefined && field > HEADER) writeMember(to, field, request);
  const before = to.length;
  to.int64(3, logged.authRevision);
  to.text(2, logged.username);
  to.bigint(1, logged.id);
  to.message(HEADER, before);
  if (request !== undefined && field < HEADER) writeMember(to, field, request);
}

function fieldOf(request: Request): number {
  switch (request.kind) {
    case "range":
      return 3;
    case "put":
      return 4;
    case "deleteRange":
      return 5;
    case "txn":
      return 6;
    case "compaction":
      return 7;
    case "leaseGrant":
      return 8;
    case "leaseRevoke":
      return 9;
    case "alarm":
      return 10;
    case "leaseCheckpoint":
      return 11;
    case "clusterVersionSet":
      return 1300;
    case "clusterMemberAttrSet":
      return 1301;
    case "downgradeInfoSet":
      return 1302;
    case "auth":
      invariant(isAuth(request.field), "a message about auth", { field: request.field });
      return request.field;
  }
}

function writeMember(to: MessageWriter, field: number, request: Request): void {
  if (request.kind === "auth") {
    to.presentBytes(field, request.bytes);
  } else {
    const before = to.length;
    writeRequest(to, request);
    to.message(field, before);
  }
}

function writeRequest(to: MessageWriter, request: Exclude<Request, { kind: "auth" }>): void {
  switch (request.kind) {
    case "range":
      writeRange(to, request);
      break;
    case "put":
      writePut(to, request);
      break;
    case "deleteRange":
      writeDeleteRange(to, request);
      break;
    case "txn":
      writeTxn(to, request);
      break;
    case "compaction":
      writeCompaction(to, request);
      break;
    case "leaseGrant":
      writeLeaseGrant(to, request);
      break;
    case "leaseRevoke":
      writeLeaseRevoke(to, request);
      break;
    case "alarm":
      writeAlarm(to, request);
      break;
    case "leaseCheckpoint":
      writeLeaseCheckpoint(to, request);
      break;
    case "clusterVersionSet":
      writeClusterVersionSet(to, request);
      break;
    case "clusterMemberAttrSet":
      writeClusterMemberAttrSet(to, request);
      break;
    case "downgradeInfoSet":
      writeDowngradeInfoSet(to, request);
      break;
  }
}

/**
 * @returns the request, keys and values as views of `bytes`; or what is wrong with them. Requests of the v2 API are
 *   wrong here: `decodeNormalEntry` knows them
 */
export function decodeRequest(bytes: Uint8Array): LoggedRequest | string {
  const decoded = decodeRequestOrV2(bytes);
  if (typeof decoded === "object" && "method" in decoded) {
    return `a request of the v2 API: ${decoded.method}`;
  }
  return decoded;
}

const fields = new FieldReader();
const headerFields = new FieldReader();

/**
 * As `decodeRequest`; but a request of the v2 API that lies in field 2 comes first, whatever else there is, as in etcd
 * up to 3.6.
 */
export function decodeRequestOrV2(bytes: Uint8Array): LoggedRequest | V2Request | string {
  let id = 0n;
  let headerId = 0n;
  let username = "";
  let authRevision = 0;
  let v2: V2Request | undefined;
  let member = 0;
  let memberStart = 0;
  let memberEnd = 0;
  fields.open(bytes);
  while (fields.next()) {
    const { field } = fields;
    if (field === HEADER) {
      if (!fields.is(2)) break;
      const header = headerFields.open(bytes, fields.start, fields.start + fields.length);
      while (header.next()) {
        if (header.field === 1 && header.is(0)) headerId = header.bigint;
        else if (header.field === 2 && header.is(2)) username = header.text;
        else if (header.field === 3 && header.is(0)) authRevision = header.int64;
      }
      if (header.fault !== undefined) return `header: ${header.fault}`;
    } else if (field === 1) {
      if (fields.is(0)) id = fields.bigint;
    } else if (field === V2) {
      if (!fields.is(2)) break;
      const decoded = decodeV2Request(bytes, fields.start, fields.start + fields.length);
      if (typeof decoded === "string") return `v2: ${decoded}`;
      v2 = decoded;
    } else if (DECODERS[field] !== undefined || isAuth(field)) {
      if (!fields.is(2)) break;
      if (member !== 0 && rank(field) > rank(member)) continue;
      member = field;
      memberStart = fields.start;
      memberEnd = memberStart + fields.length;
    }
  }
  if (fields.fault !== undefined) return fields.fault;
  if (v2 !== undefined) return v2;
  const request = decodeMember(bytes, member, memberStart, memberEnd);
  if (typeof request === "string") return `field ${member}: ${request}`;
  return { id: id === 0n ? headerId : id, username, authRevision, request };
}

function decodeMember(
  bytes: Uint8Array,
  field: number,
  start: number,
  end: number,
): Request | undefined | string {
  if (field === 4) return decodePut(bytes, start, end);
  if (field === 0) return undefined;
  const decode = DECODERS[field];
  if (decode !== undefined) return decode(bytes, start, end);
  const view = start === end ? EMPTY_BYTES : bytes.subarray(start, end);
  return { kind: "auth", field, bytes: view };
}

/** Should an entry hold several requests, which etcd never wrote, the lowest counts: the order of etcd's dispatch. */
function rank(field: number): number {
  if (field >= 1300) return 0;
  if (field === 10) return 11;
  if (field === 11) return 10;
  return field === 1012 ? 12 : field;
}
