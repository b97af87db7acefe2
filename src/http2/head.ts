/** From the fields of a header block to a request, or the finding that it is none. @see RFC 9113, 8.2 and 8.3 */
import type { HeaderList, RequestHead } from "./exchange.ts";
import type { FieldSink } from "./hpack/decoder.ts";
import type { Entry } from "./hpack/entry.ts";
import { FieldKind } from "./hpack/field-kind.ts";

export class Head implements RequestHead {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly fields: HeaderList;
  /** -1: it is not said. */
  readonly contentLength: number;
  memo: unknown = undefined;

  constructor(
    method: string,
    scheme: string,
    authority: string,
    path: string,
    fields: HeaderList,
    contentLength: number,
  ) {
    this.method = method;
    this.scheme = scheme;
    this.authority = authority;
    this.path = path;
    this.fields = fields;
    this.contentLength = contentLength;
  }
}

/** Gathers one header block at a time. */
export class HeadBuilder implements FieldSink {
  readonly #bytesMax: number;
  #method: string | undefined;
  #scheme: string | undefined;
  #authority: string | undefined;
  #path: string | undefined;
  #host: string | undefined;
  #contentLength = -1;
  #fields: (readonly [name: string, value: string])[] = [];
  #bytes = 0;
  #malformed = false;
  #pseudo = false;
  #regular = false;

  /** @param bytesMax  see `maxHeaderListBytes` */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  begin(): void {
    this.#method = undefined;
    this.#scheme = undefined;
    this.#authority = undefined;
    this.#path = undefined;
    this.#host = undefined;
    this.#contentLength = -1;
    this.#fields = [];
    this.#bytes = 0;
    this.#malformed = false;
    this.#pseudo = false;
    this.#regular = false;
  }

  field(entry: Entry): void {
    this.#bytes += entry.bytes;
    // The rest of the block is still decoded, for the table's sake.
    if (this.#bytes > this.#bytesMax) return;
    const { kind, value } = entry;
    switch (kind) {
      case FieldKind.method:
        this.#pseudoField(this.#method);
        this.#method = value;
        return;
      case FieldKind.scheme:
        this.#pseudoField(this.#scheme);
        this.#scheme = value;
        return;
      case FieldKind.path:
        this.#pseudoField(this.#path);
        this.#path = value;
        return;
      case FieldKind.authority:
        this.#pseudoField(this.#authority);
        this.#authority = value;
        return;
      case FieldKind.host:
        this.#host ??= value;
        break;
      case FieldKind.contentLength:
        if (this.#contentLength >= 0 && this.#contentLength !== Number(value))
          this.#malformed = true;
        this.#contentLength = Number(value);
        break;
      case FieldKind.malformed:
        this.#malformed = true;
        break;
      case FieldKind.regular:
        break;
    }
    this.#regular = true;
    this.#fields.push(entry.field);
  }

  /** Once, and before the others. */
  #pseudoField(before: string | undefined): void {
    if (before !== undefined || this.#regular) this.#malformed = true;
    this.#pseudo = true;
  }

  get tooLarge(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  /** What was gathered can stand behind a request's body. */
  get trailersAreSound(): boolean {
    return !this.#malformed && !this.#pseudo;
  }

  /** Undefined: no request looks like this. */
  head(): Head | undefined {
    const method = this.#method;
    if (this.#malformed || method === undefined || method === "") return undefined;
    const authority = this.#authority ?? this.#host ?? "";
    if (method === "CONNECT") {
      if (this.#scheme !== undefined || this.#path !== undefined) return undefined;
      if (this.#authority === undefined) return undefined;
      return new Head(method, "", authority, "", this.#fields, this.#contentLength);
    }
    const scheme = this.#scheme;
    const path = this.#path;
    if (scheme === undefined || scheme === "" || path === undefined || path === "")
      return undefined;
    return new Head(method, scheme, authority, path, this.#fields, this.#contentLength);
  }
}
