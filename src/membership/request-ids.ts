/**
 * Ids of requests, unique in the cluster: 16 bits of the member, then 48 that count from the time it began, in
 * milliseconds, with 8 bits to spare. So long as there are fewer than 256 requests a millisecond, a restart never
 * repeats one.
 *
 * @see etcd pkg/idutil/id.go
 */
import { readU64Big, viewOf, writeU32 } from "../base/bytes.ts";

const TWO_32 = 2 ** 32;
const TWO_48 = 2 ** 48;

export class RequestIds {
  readonly #words = viewOf(new Uint8Array(8));
  readonly #member: number;
  #count: number;

  /**
   * @param nowMs  since 1970: later than at any earlier start of this member.
   * @param used  how many were given out since, in a count that is gone on with. Default: 0.
   */
  constructor(memberId: bigint, nowMs: number, used = 0) {
    this.#member = Number(memberId & 0xffffn) * 0x1_0000;
    this.#count = ((Math.floor(nowMs) % 2 ** 40) * 256 + used) % TWO_48;
  }

  next(): bigint {
    this.#count = this.#count + 1 === TWO_48 ? 0 : this.#count + 1;
    writeU32(this.#words, 0, this.#count % TWO_32);
    writeU32(this.#words, 4, this.#member + Math.floor(this.#count / TWO_32));
    return readU64Big(this.#words, 0);
  }

  /** For a lease that the server is to name: positive as an int64. */
  nextLease(): bigint {
    for (;;) {
      const id = this.next() & 0x7fff_ffff_ffff_ffffn;
      if (id !== 0n) return id;
    }
  }
}
