/** Responses of one member, whole: the message and its header, written in memory that is used again. */
import {
  type DeleteRangeResponse,
  type PutResponse,
  type RangeResponse,
  type TxnResponse,
  writeDeleteRangeResponse,
  writePutResponse,
  writeRangeResponse,
  writeTxnResponse,
} from "./kv-responses.ts";
import { MessageWriter } from "./message-writer.ts";
import { LARGE_PART_BYTES, type RangeParts } from "./range-parts.ts";
import { type HeaderIds, ResponseHeader } from "./response-header.ts";

/**
 * What a method returns is good until the next one is called, unless it is longer than LARGE_PART_BYTES: that is
 * nobody else's. It is just what a call's `reply` and `send` ask for.
 */
export class ResponseEncoder {
  readonly #header: ResponseHeader;
  readonly #writer = new MessageWriter(LARGE_PART_BYTES);

  constructor(ids: HeaderIds) {
    this.#header = new ResponseHeader(ids);
  }

  /** With its header alone: CompactionResponse, LeaseRevokeResponse and others. */
  empty(revision: number): Uint8Array {
    this.#writer.clear();
    return this.#finish(revision);
  }

  range(response: RangeResponse, revision: number): Uint8Array {
    this.#writer.clear();
    writeRangeResponse(this.#writer, response);
    return this.#finish(revision);
  }

  /** Before the KeyValues of a large response. */
  beginRange(parts: RangeParts, revision: number): void {
    this.#writer.clear();
    this.#header.write(this.#writer, revision);
    parts.add(this.#writer);
  }

  /** Behind them. */
  endRange(parts: RangeParts, response: RangeResponse): void {
    this.#writer.clear();
    writeRangeResponse(this.#writer, { ...response, kvs: [] });
    parts.add(this.#writer);
  }

  /** A RangeStreamResponse: 1 range_response. @param revision  undefined: no header, there is more to come */
  rangePage(response: RangeResponse, revision: number | undefined): Uint8Array {
    this.#writer.clear();
    writeRangeResponse(this.#writer, response);
    if (revision !== undefined) this.#header.write(this.#writer, revision);
    this.#writer.message(1, 0);
    return this.#writer.take();
  }

  put(response: PutResponse): Uint8Array {
    this.#writer.clear();
    writePutResponse(this.#writer, response);
    return this.#finish(response.revision);
  }

  deleteRange(response: DeleteRangeResponse): Uint8Array {
    this.#writer.clear();
    writeDeleteRangeResponse(this.#writer, response);
    return this.#finish(response.revision);
  }

  txn(response: TxnResponse): Uint8Array {
    this.#writer.clear();
    writeTxnResponse(this.#writer, response);
    return this.#finish(response.revision);
  }

  #finish(revision: number): Uint8Array {
    this.#header.write(this.#writer, revision);
    return this.#writer.take();
  }
}
