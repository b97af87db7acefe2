/**
 * Messages as Go's encoding/json prints etcd's structs: proto names, no spaces, bytes as base64, 64-bit numbers to the
 * last digit, zero values left out. Not proto3's JSON.
 */
import { goJson } from "../../base/go-json.ts";
import type { MessageTable, NamedField } from "../../proto/tables/message-table.ts";

/** Without a line's end. */
export function goJsonOf<M>(table: MessageTable<M>, message: M): string {
  const held = message as Readonly<Record<string, unknown>>;
  const members: string[] = [];
  for (const field of table.fields) {
    const value = held[field.property];
    if (isLeftOut(field, value)) continue;
    const shown =
      field.presence === "many"
        ? `[${(value as readonly unknown[]).map((one) => valueJson(field, one)).join(",")}]`
        : valueJson(field, value);
    members.push(`"${field.protoName}":${shown}`);
  }
  return `{${members.join(",")}}`;
}

function isLeftOut({ presence }: NamedField, value: unknown): boolean {
  if (presence === "many") return (value as readonly unknown[]).length === 0;
  if (presence === "optional") return value === undefined;
  if (value instanceof Uint8Array) return value.length === 0;
  return value === 0n || value === 0 || value === false || value === "";
}

function valueJson({ table }: NamedField, value: unknown): string {
  if (table !== undefined) return goJsonOf(table(), value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString("base64")}"`;
  return typeof value === "string" ? goJson(value) : String(value);
}
