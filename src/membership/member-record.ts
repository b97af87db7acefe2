/**
 * Rows of bucket `members` (JSON, under the member's id in hex without padding) and of `members_removed` (the same key,
 * value `removed`).
 */
import { utf8 } from "../base/bytes.ts";
import { parseObject, stringsOf } from "../base/go-json.ts";
import { encodeMemberContext } from "../wal/conf-change.ts";

export interface MemberRecord {
  readonly id: bigint;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

const ID = /^[0-9a-f]{1,16}$/;

/** @returns undefined if the key is no member's id */
export function decodeMemberId(key: Uint8Array): bigint | undefined {
  const text = Buffer.from(key).toString("latin1");
  return ID.test(text) ? BigInt(`0x${text}`) : undefined;
}

/** The id is taken from the key: as a JSON number it has more digits than a double keeps. */
export function decodeMember(key: Uint8Array, value: Uint8Array): MemberRecord | undefined {
  const id = decodeMemberId(key);
  if (id === undefined) return undefined;
  const json = parseObject(Buffer.from(value).toString());
  if (json === undefined) return undefined;
  const { name, peerURLs, clientURLs, isLearner } = json;
  return {
    id,
    name: typeof name === "string" ? name : "",
    peerUrls: stringsOf(peerURLs),
    clientUrls: stringsOf(clientURLs),
    isLearner: isLearner === true,
  };
}

/** As etcdctl prints it: hex without padding. */
export function shownMember(id: bigint): string {
  return id.toString(16);
}

export function encodeMemberId(id: bigint): Uint8Array {
  return utf8(shownMember(id));
}

export function encodeMember({
  id,
  peerUrls,
  isLearner,
  name,
  clientUrls,
}: MemberRecord): Uint8Array {
  return encodeMemberContext({ id, peerUrls, isLearner, name, clientUrls });
}

/** The value of every row of `members_removed`. */
export const REMOVED: Uint8Array = utf8("removed");
