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
import {
  type LeaseTimeToLiveResponse,
  writeLeases,
  writeLeaseTimeToLive,
  writeLeaseTtl,
} from "./lease-responses.ts";
import { LARGE_PART_BYTES, MessageParts } from "./message-parts.ts";
import { MessageWriter } from "./message-writer.ts";
import { type HeaderIds, ResponseHeader } from "./response-header.ts";
import {
  type WatchEvent,
  type WatchNotice,
  writeEvent,
  writeEvents,
  writeFragmentMark,
  writeWatchNotice,
} from "./watch-messages.ts";

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
  beginRange(parts: MessageParts, revision: number): void {
    this.#writer.clear();
    this.#header.write(this.#writer, revision);
    parts.add(this.#writer);
  }

  /** Behind them. */
  endRange(parts: MessageParts, response: RangeResponse): void {
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

  /** @param watchId  from `encodeWatchId` */
  watchNotice(notice: WatchNotice, watchId: Uint8Array, revision: number): Uint8Array {
    this.#writer.clear();
    writeWatchNotice(this.#writer, notice);
    this.#writer.raw(watchId);
    return this.#finish(revision);
  }

  /** A WatchResponse. @param encoded  the events, from `events` */
  watchEvents(encoded: Uint8Array, watchId: Uint8Array, revision: number): Uint8Array {
    this.#writer.clear();
    this.#writer.raw(encoded);
    this.#writer.raw(watchId);
    return this.#finish(revision);
  }

  /** The events of a WatchResponse, for all whom they are sent to; nobody else's memory. */
  events(events: readonly WatchEvent[]): Uint8Array {
    this.#writer.clear();
    writeEvents(this.#writer, events);
    const encoded = this.#writer.take();
    return encoded.length > LARGE_PART_BYTES ? encoded : encoded.slice();
  }

  /**
   * A WatchResponse of many events, in parts.
   * @param isFragment  more of the same response follow
   */
  watchParts(
    events: readonly WatchEvent[],
    watchId: Uint8Array,
    revision: number,
    isFragment: boolean,
  ): readonly Uint8Array[] {
    const parts = new MessageParts();
    this.#writer.clear();
    if (isFragment) writeFragmentMark(this.#writer);
    this.#writer.raw(watchId);
    this.#header.write(this.#writer, revision);
    parts.add(this.#writer);
    for (let i = 0; i < events.length; i++) {
      this.#writer.clear();
      writeEvent(this.#writer, events[i] as WatchEvent);
      parts.add(this.#writer);
    }
    return parts.take();
  }

  /** LeaseGrantResponse and LeaseKeepAliveResponse. */
  leaseTtl(id: bigint, ttl: number, revision: number): Uint8Array {
    this.#writer.clear();
    writeLeaseTtl(this.#writer, id, ttl);
    return this.#finish(revision);
  }

  leaseTimeToLive(response: LeaseTimeToLiveResponse, revision: number): Uint8Array {
    this.#writer.clear();
    writeLeaseTimeToLive(this.#writer, response);
    return this.#finish(revision);
  }

  leases(ids: readonly bigint[], revision: number): Uint8Array {
    this.#writer.clear();
    writeLeases(this.#writer, ids);
    return this.#finish(revision);
  }

  #finish(revision: number): Uint8Array {
    this.#header.write(this.#writer, revision);
    return this.#writer.take();
  }
}
