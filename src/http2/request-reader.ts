/** From header blocks to requests: decoded, or known from an earlier one. */
import { ErrorCode } from "./error-code.ts";
import { type Head, HeadBuilder } from "./head.ts";
import { HeadCache } from "./head-cache.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import type { Http2Options } from "./limits.ts";

export class RequestReader {
  readonly #decoder: HpackDecoder;
  readonly #builder: HeadBuilder;
  readonly #cache = new HeadCache();

  constructor(options: Pick<Http2Options, "headerTableBytes" | "maxHeaderListBytes">) {
    this.#decoder = new HpackDecoder(options.headerTableBytes);
    this.#builder = new HeadBuilder(options.maxHeaderListBytes);
  }

  /**
   * @returns the request, or what its stream is to be reset with
   * @throws CompressionError
   */
  request(bytes: Buffer, start: number, end: number): Head | ErrorCode {
    const { table } = this.#decoder;
    const { changes } = table;
    const known = this.#cache.find(bytes, start, end, changes);
    if (known !== undefined) return known;
    const builder = this.#builder;
    builder.begin();
    this.#decoder.decode(bytes, start, end, builder);
    // As gRPC's Go implementation has it.
    if (builder.tooLarge) return ErrorCode.frameSizeError;
    const head = builder.head();
    if (head === undefined) return ErrorCode.protocolError;
    if (table.changes === changes) this.#cache.keep(bytes, start, end, head);
    return head;
  }

  /**
   * Nobody asks what trailers of a request say.
   * @returns whether they may stand where they do
   * @throws CompressionError
   */
  trailers(bytes: Buffer, start: number, end: number): boolean {
    this.#builder.begin();
    this.#decoder.decode(bytes, start, end, this.#builder);
    return this.#builder.trailersAreSound;
  }
}
