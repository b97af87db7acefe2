/**
 * membershippb's requests, by which etcd from 3.5 on names a member and the cluster's version: 1300, 1301 and 1302 of
 * the log's requests. etcd 3.4 stops at them.
 *
 * @see etcd api/membershippb/membership.proto for the field numbers
 */
import type { MessageWriter } from "./message-writer.ts";
import type {
  ClusterMemberAttrSetRequest,
  ClusterVersionSetRequest,
  DowngradeInfoSetRequest,
} from "./messages.ts";
import { FieldReader } from "./protobuf.ts";

/** For messages that hold no others. */
const fields = new FieldReader();

export function writeClusterVersionSet(to: MessageWriter, request: ClusterVersionSetRequest): void {
  to.text(1, request.version);
}

/** @returns the request, or what is wrong with the bytes; so do all that follow */
export function decodeClusterVersionSet(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): ClusterVersionSetRequest | string {
  let version = "";
  fields.open(bytes, start, end);
  while (fields.next()) if (fields.field === 1 && fields.is(2)) version = fields.text;
  return fields.fault ?? { kind: "clusterVersionSet", version };
}

/** The attributes are always there, as etcd writes them. */
export function writeClusterMemberAttrSet(
  to: MessageWriter,
  request: ClusterMemberAttrSetRequest,
): void {
  const before = to.length;
  for (const url of request.clientUrls.toReversed()) to.presentText(2, url);
  to.text(1, request.name);
  to.message(2, before);
  to.bigint(1, request.memberId);
}

export function decodeClusterMemberAttrSet(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): ClusterMemberAttrSetRequest | string {
  let memberId = 0n;
  let name = "";
  const clientUrls: string[] = [];
  const outer = new FieldReader().open(bytes, start, end);
  while (outer.next()) {
    if (outer.field === 1 && outer.is(0)) memberId = outer.bigint;
    else if (outer.field === 2 && outer.is(2)) {
      fields.open(bytes, outer.start, outer.start + outer.length);
      while (fields.next()) {
        if (fields.field === 1 && fields.is(2)) name = fields.text;
        else if (fields.field === 2 && fields.is(2)) clientUrls.push(fields.text);
      }
      if (fields.fault !== undefined) return fields.fault;
    }
  }
  return outer.fault ?? { kind: "clusterMemberAttrSet", memberId, name, clientUrls };
}

export function writeDowngradeInfoSet(to: MessageWriter, request: DowngradeInfoSetRequest): void {
  to.text(2, request.version);
  to.bool(1, request.enabled);
}

export function decodeDowngradeInfoSet(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): DowngradeInfoSetRequest | string {
  let enabled = false;
  let version = "";
  fields.open(bytes, start, end);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) enabled = fields.bool;
    else if (fields.field === 2 && fields.is(2)) version = fields.text;
  }
  return fields.fault ?? { kind: "downgradeInfoSet", enabled, version };
}
