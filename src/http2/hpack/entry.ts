/** A header field as it stands in a table: what it means is found out once, not in every request that has it. */
import type { FieldKind } from "./field-kind.ts";
import { fieldKind } from "./field-kind.ts";

/** What a field costs a table or a list beyond its characters. @see RFC 7541, 4.1; RFC 9113, 6.5.2 */
export const FIELD_OVERHEAD_BYTES = 32;

export class Entry {
  readonly name: string;
  readonly value: string;
  /** As it stands in a HeaderList. */
  readonly field: readonly [name: string, value: string];
  readonly bytes: number;
  readonly kind: FieldKind;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.field = [name, value];
    this.bytes = name.length + value.length + FIELD_OVERHEAD_BYTES;
    this.kind = fieldKind(name, value);
  }
}
