/** A protobuf message taken apart without knowing what it is: for tests that look at single fields. */
import { FieldReader } from "../../src/proto/protobuf.ts";

export class DecodedMessage {
  readonly #numbers = new Map<number, bigint[]>();
  readonly #bytes = new Map<number, Buffer[]>();

  /** @throws if the bytes are no message */
  constructor(bytes: Uint8Array) {
    const fields = new FieldReader().open(bytes);
    while (fields.next()) {
      if (fields.wire === 0) push(this.#numbers, fields.field, fields.int64Big);
      else push(this.#bytes, fields.field, Buffer.from(fields.view));
    }
    if (fields.fault !== undefined) throw new Error(fields.fault);
  }

  /** The last value of a number, 0 if it is absent. Signed. */
  number(field: number): number {
    return Number(this.#numbers.get(field)?.at(-1) ?? 0n);
  }

  bool(field: number): boolean {
    return this.number(field) !== 0;
  }

  text(field: number): string {
    return this.#bytes.get(field)?.at(-1)?.toString() ?? "";
  }

  has(field: number): boolean {
    return this.#bytes.has(field) || this.#numbers.has(field);
  }

  all(field: number): readonly Buffer[] {
    return this.#bytes.get(field) ?? [];
  }

  /** An embedded message; one that is absent has no fields. */
  message(field: number): DecodedMessage {
    return new DecodedMessage(this.#bytes.get(field)?.at(-1) ?? Buffer.alloc(0));
  }

  messages(field: number): DecodedMessage[] {
    return this.all(field).map((bytes) => new DecodedMessage(bytes));
  }
}

function push<T>(to: Map<number, T[]>, field: number, value: T): void {
  const values = to.get(field);
  if (values === undefined) to.set(field, [value]);
  else values.push(value);
}
