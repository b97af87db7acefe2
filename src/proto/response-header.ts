/**
 * etcdserverpb.ResponseHeader: 1 cluster_id, 2 member_id, 3 revision, 4 raft_term. Of one member only the revision
 * ever changes, and often not even that: the whole field is kept, and the revision is written into it anew.
 */
import { MessageWriter } from "./message-writer.ts";
import { putVarint, varintBytes } from "./protobuf.ts";

/** Its number in every response. */
const HEADER = 1;

export interface HeaderIds {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly raftTerm: number;
}

export class ResponseHeader {
  readonly #ids: HeaderIds;
  /** What the field says now. */
  #revision = -1;
  /** With its tag and length. */
  #field: Uint8Array = new Uint8Array(0);
  #revisionAt = 0;
  #revisionBytes = 0;

  readonly #without: Uint8Array;

  constructor(ids: HeaderIds) {
    this.#ids = ids;
    this.#without = encodeHeader(ids, 0);
  }

  /** @param revision  0: it has none, as some answers of a watch */
  write(to: MessageWriter, revision: number): void {
    if (revision === 0) {
      to.raw(this.#without);
      return;
    }
    if (revision !== this.#revision) this.#set(revision);
    to.raw(this.#field);
  }

  #set(revision: number): void {
    if (varintBytes(revision) === this.#revisionBytes) {
      putVarint(this.#field, this.#revisionAt, revision);
    } else {
      this.#build(revision);
    }
    this.#revision = revision;
  }

  #build(revision: number): void {
    this.#field = encodeHeader(this.#ids, revision);
    this.#revisionBytes = varintBytes(revision);
    this.#revisionAt = this.#field.length - termBytes(this.#ids) - this.#revisionBytes;
  }
}

/** With its tag and length. */
function encodeHeader(ids: HeaderIds, revision: number): Uint8Array {
  const writer = new MessageWriter();
  writer.int64(4, ids.raftTerm);
  writer.int64(3, revision);
  writer.bigint(2, ids.memberId);
  writer.bigint(1, ids.clusterId);
  writer.message(HEADER, 0);
  return writer.take();
}

/** Of what comes after the revision. */
function termBytes({ raftTerm }: HeaderIds): number {
  return raftTerm === 0 ? 0 : 1 + varintBytes(raftTerm);
}

/** The header of an operation within a transaction: the revision, and of whom nobody need be told twice. */
export function writeOpHeader(to: MessageWriter, revision: number): void {
  const before = to.length;
  to.int64(3, revision);
  to.message(HEADER, before);
}
