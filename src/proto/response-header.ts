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
  #field = new Uint8Array(0);
  #revisionAt = 0;
  #revisionBytes = 0;

  constructor(ids: HeaderIds) {
    this.#ids = ids;
  }

  /** @param revision  more than 0 */
  write(to: MessageWriter, revision: number): void {
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
    const { clusterId, memberId, raftTerm } = this.#ids;
    const writer = new MessageWriter();
    writer.int64(4, raftTerm);
    const suffixBytes = writer.length;
    writer.int64(3, revision);
    writer.bigint(2, memberId);
    writer.bigint(1, clusterId);
    writer.message(HEADER, 0);
    this.#field = writer.take().slice();
    this.#revisionBytes = varintBytes(revision);
    this.#revisionAt = this.#field.length - suffixBytes - this.#revisionBytes;
  }
}

/** The header of an operation within a transaction: the revision, and of whom nobody need be told twice. */
export function writeOpHeader(to: MessageWriter, revision: number): void {
  const before = to.length;
  to.int64(3, revision);
  to.message(HEADER, before);
}
