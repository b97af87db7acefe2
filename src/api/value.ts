/** What the library hands out of the store. */
import { invariant } from "../base/invariant.ts";
import { decodeKeyValueAt, type KeyValue as StoredKeyValue } from "../proto/key-value.ts";

const UTF8 = new TextDecoder();

/** A value's bytes, the caller's own, with two ways to read them. */
export class Value extends Uint8Array {
  /** As UTF-8; what is not is replaced by U+FFFD. */
  string(): string {
    return UTF8.decode(this);
  }

  /** @throws SyntaxError if it is not JSON */
  json<T = unknown>(): T {
    return JSON.parse(this.string()) as T;
  }
}

/** One key at one revision. */
export class KeyValue {
  readonly #shared: boolean;
  /** Decoded when something of it is asked for. */
  #record: Uint8Array | StoredKeyValue;

  /**
   * @param record  a KeyValue, encoded or not, not to be changed any more
   * @param shared  whether others have it, too: key and value are copied then, each time they are asked for
   */
  constructor(record: Uint8Array | StoredKeyValue, shared = false) {
    this.#record = record;
    this.#shared = shared;
  }

  get #stored(): StoredKeyValue {
    const record = this.#record;
    if (!(record instanceof Uint8Array)) return record;
    const stored = decoded(record);
    this.#record = stored;
    return stored;
  }

  get key(): Value {
    return this.#value(this.#stored.key);
  }

  get value(): Value {
    return this.#value(this.#stored.value);
  }

  /** Of the put that made the key, since it was last deleted. */
  get createRevision(): bigint {
    return BigInt(this.#stored.createRevision);
  }

  /** Of the last put. */
  get modRevision(): bigint {
    return BigInt(this.#stored.modRevision);
  }

  /** Puts since the key was made: 1 for the first. */
  get version(): bigint {
    return BigInt(this.#stored.version);
  }

  /** That the key hangs on; 0n: none. */
  get lease(): bigint {
    return this.#stored.lease;
  }

  #value(bytes: Uint8Array): Value {
    return this.#shared ? new Value(bytes) : asValue(bytes);
  }
}

function decoded(record: Uint8Array): StoredKeyValue {
  const stored = decodeKeyValueAt(record, 0, record.length);
  invariant(stored !== undefined, "what the store hands out is a KeyValue");
  return stored;
}

/** A record is copied out of the store before it gets here, so its buffer is an ordinary one. */
function asValue(bytes: Uint8Array): Value {
  return new Value(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}
