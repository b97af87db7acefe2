/**
 * Rows of bucket `members` (JSON, under the member's id in hex without padding) and of `members_removed` (the same key,
 * value `removed`).
 */

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
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(value).toString());
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null) return undefined;
  const { name, peerURLs, clientURLs, isLearner } = json as Record<string, unknown>;
  return {
    id,
    name: typeof name === "string" ? name : "",
    peerUrls: strings(peerURLs),
    clientUrls: strings(clientURLs),
    isLearner: isLearner === true,
  };
}

/** As etcdctl prints it: hex without padding. */
export function shownMember(id: bigint): string {
  return id.toString(16);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
