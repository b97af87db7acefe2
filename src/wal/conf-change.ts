/**
 * raftpb.ConfChange, the data of an entry that changes the members: 1 id, 2 type, 3 node_id (always written),
 * 4 context (absent if null). The context is JSON about the member; none for a removal.
 */
import { utf8 } from "../base/bytes.ts";
import { goJson, parseObject, stringsOf } from "../base/go-json.ts";
import { FieldReader, FieldWriter } from "../proto/protobuf.ts";

export const ConfChangeType = {
  addNode: 0,
  removeNode: 1,
  updateNode: 2,
  addLearnerNode: 3,
} as const;

export type ConfChangeType = (typeof ConfChangeType)[keyof typeof ConfChangeType];

export interface ConfChange {
  /** Of the request; 0 in what a new cluster begins with. */
  readonly id: bigint;
  readonly type: ConfChangeType;
  readonly nodeId: bigint;
  readonly context: Uint8Array | undefined;
}

export function encodeConfChange({ id, type, nodeId, context }: ConfChange): Uint8Array {
  return new FieldWriter()
    .bigint(1, id)
    .number(2, type)
    .bigint(3, nodeId)
    .message(4, context)
    .bytes();
}

/** @returns the change, its context a view of `bytes`; or what is wrong with them */
export function decodeConfChange(bytes: Uint8Array): ConfChange | string {
  let id = 0n;
  let type = 0;
  let nodeId = 0n;
  let context: Uint8Array | undefined;
  const fields = new FieldReader().open(bytes);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) id = fields.bigint;
    else if (fields.field === 2 && fields.is(0)) type = fields.number;
    else if (fields.field === 3 && fields.is(0)) nodeId = fields.bigint;
    else if (fields.field === 4 && fields.is(2)) context = fields.view;
  }
  if (fields.fault !== undefined) return fields.fault;
  if (type !== 0 && type !== 1 && type !== 2 && type !== 3) return `a change of type ${type}`;
  return { id, type, nodeId, context };
}

export interface MemberContext {
  readonly id: bigint;
  readonly peerUrls: readonly string[];
  readonly isLearner?: boolean;
  /** Of a learner that becomes a voter. */
  readonly isPromote?: boolean;
  readonly name?: string;
  readonly clientUrls?: readonly string[];
}

/**
 * The context as Go's encoding/json writes it: these keys in this order, the empty ones left out, and `<`, `>`, `&`
 * escaped.
 */
export function encodeMemberContext(member: MemberContext): Uint8Array {
  const { id, peerUrls, isLearner, isPromote, name, clientUrls } = member;
  const parts = [`"id":${id}`, `"peerURLs":${goJson(peerUrls)}`];
  if (isLearner) parts.push('"isLearner":true');
  if (name) parts.push(`"name":${goJson(name)}`);
  if (clientUrls && clientUrls.length > 0) parts.push(`"clientURLs":${goJson(clientUrls)}`);
  if (isPromote) parts.push('"isPromote":true');
  return utf8(`{${parts.join(",")}}`);
}

/** An id in JSON: it has more digits than a number keeps, so it is made a string before the rest is parsed. */
const ID = /(?<!\\)"id"\s*:\s*(\d{1,20})/g;

/** @returns the member, or what is wrong with the context */
export function decodeMemberContext(context: Uint8Array | undefined): MemberContext | string {
  if (context === undefined) return "a change without a context";
  const text = Buffer.from(context).toString().replace(ID, '"id":"$1"');
  const json = parseObject(text);
  if (json === undefined) return "a context that is no JSON object";
  const { id, name, peerURLs, clientURLs, isLearner, isPromote } = json;
  if (typeof id !== "string" || !/^\d{1,20}$/.test(id) || BigInt(id) >= 2n ** 64n) {
    return "a context without an id";
  }
  return {
    id: BigInt(id),
    peerUrls: stringsOf(peerURLs),
    isLearner: isLearner === true,
    isPromote: isPromote === true,
    name: typeof name === "string" ? name : "",
    clientUrls: stringsOf(clientURLs),
  };
}
