/** Ids of members and clusters: the beginning of SHA-1 over what they are made of. */
import { createHash } from "node:crypto";
import { readU64BEBig, viewOf, writeU64BEBig } from "../base/bytes.ts";
import { StrataError } from "../base/errors.ts";

/**
 * @param peerUrls  in any order, as they are written in the cluster's list of members.
 * @param token  of the cluster, `--initial-cluster-token`.
 * @param unixSeconds  when the member was added to a cluster that ran; none for one that it began with.
 * @throws StrataError BAD_ARGUMENT for the id 0, which nobody may have: one in 2^64
 */
export function memberId(peerUrls: readonly string[], token: string, unixSeconds?: number): bigint {
  const urls = peerUrls.map((url) => Buffer.from(url)).sort(Buffer.compare);
  const hash = createHash("sha1").update(Buffer.concat(urls)).update(token);
  if (unixSeconds !== undefined) hash.update(String(Math.floor(unixSeconds)));
  const id = firstOf(hash.digest());
  if (id === 0n) throw new StrataError("BAD_ARGUMENT", "these URLs make the member id 0");
  return id;
}

/** @param memberIds  of the members that the cluster begins with, in any order. */
export function clusterId(memberIds: readonly bigint[]): bigint {
  const bytes = new Uint8Array(8 * memberIds.length);
  const view = viewOf(bytes);
  for (const [i, id] of ascending(memberIds).entries()) writeU64BEBig(view, 8 * i, id);
  return firstOf(createHash("sha1").update(bytes).digest());
}

export function ascending(ids: Iterable<bigint>): bigint[] {
  return [...ids].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function firstOf(digest: Uint8Array): bigint {
  return readU64BEBig(viewOf(digest), 0);
}
