/**
 * etcdserverpb.Request, of the old v2 API: what etcd up to 3.6 understands as an entry that names a member or the
 * cluster's version. Written bare as the entry's data.
 *
 * 1 ID, 2 Method, 3 Path, 4 Val, 5 Dir, 6 PrevValue, 7 PrevIndex, 8 PrevExist, 9 Expiration, 10 Wait, 11 Since,
 * 12 Recursive, 13 Sorted, 14 Quorum, 15 Time, 16 Stream, 17 Refresh; all but 8 and 17 always written.
 */
import { utf8 } from "../base/bytes.ts";
import { EMPTY_BYTES, FieldReader, FieldWriter } from "./protobuf.ts";

/** A PUT, which is all that is written today. */
export interface V2Put {
  readonly id: bigint;
  readonly path: string;
  readonly value: string;
}

export interface V2Request extends V2Put {
  readonly method: string;
}

export function encodeV2Put({ id, path, value }: V2Put): Uint8Array {
  const writer = new FieldWriter().bigint(1, id).message(2, utf8("PUT"));
  writer.message(3, utf8(path)).message(4, utf8(value)).bool(5, false).message(6, EMPTY_BYTES);
  for (const field of [7, 9, 10, 11, 12, 13, 14, 15, 16]) writer.number(field, 0);
  return writer.bytes();
}

/** @returns the request, or what is wrong with it: what etcd 3 calls a request is none of these */
export function decodeV2Request(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): V2Request | string {
  let id = 0n;
  const texts: [method: string, path: string, value: string] = ["", "", ""];
  const fields = new FieldReader().open(bytes, start, end);
  while (fields.next()) {
    const { field } = fields;
    if (field === 1 && fields.is(0)) id = fields.bigint;
    else if (field >= 2 && field <= 4 && fields.is(2)) texts[field - 2] = fields.text;
    else if (field === 6) fields.is(2);
    else if (field <= 17) fields.is(0);
    else fields.stop(`a v2 request with field ${field}`);
  }
  const [method, path, value] = texts;
  return fields.fault ?? { id, method, path, value };
}

/** @returns the PUT; undefined for anything else, other v2 requests and what etcd 3 calls a request among it */
export function decodeV2Put(bytes: Uint8Array): V2Put | undefined {
  const request = decodeV2Request(bytes);
  if (typeof request === "string" || request.method !== "PUT") return undefined;
  const { id, path, value } = request;
  return { id, path, value };
}
