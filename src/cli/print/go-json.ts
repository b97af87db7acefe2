/**
 * Messages as Go's encoding/json prints etcd's structs: proto names, no spaces, bytes as base64, 64-bit numbers to the
 * last digit, zero values left out. Not proto3's JSON.
 */
import { goJson } from "../../base/go-json.ts";
import type { MessageTable, NamedField } from "../../proto/tables/message-table.ts";

/** Without a line's end. */
export function goJsonOf<M>(table: MessageTable<M>, message: M): string {
  return `{${goJsonMembers(table, message).join(",")}}`;
}

/** `"revision":5` and so on, for structs of other makes that have these members among theirs. */
export function goJsonMembers<M>(table: MessageTable<M>, message: M): string[] {
  return presentMembers(table, message).map(([field, value]) => {
    const shown =
      field.presence === "many"
        ? `[${(value as readonly unknown[]).map((one) => valueJson(field, one)).join(",")}]`
        : valueJson(field, value);
    return `"${field.protoName}":${shown}`;
  });
}

/** A struct of members in Go's own names and order: `goJsonObject({ Endpoint: goJson(text), Took: "5" })`. */
export function goJsonObject(members: Readonly<Record<string, string>>): string {
  return `{${Object.entries(members)
    .map(([name, json]) => `${JSON.stringify(name)}:${json}`)
    .join(",")}}`;
}

/** One line of a message whose lists may be long: never in memory as a whole, and no longer than no string may be. */
export function* goJsonLine<M>(table: MessageTable<M>, message: M): Generator<string, void> {
  let before = "{";
  for (const [field, value] of presentMembers(table, message)) {
    const name = `${before}"${field.protoName}":`;
    before = ",";
    if (field.presence !== "many") {
      yield `${name}${valueJson(field, value)}`;
      continue;
    }
    let separator = `${name}[`;
    for (const one of value as readonly unknown[]) {
      yield `${separator}${valueJson(field, one)}`;
      separator = ",";
    }
    yield "]";
  }
  yield before === "{" ? "{}\n" : "}\n";
}

function presentMembers<M>(table: MessageTable<M>, message: M): [NamedField, unknown][] {
  const held = message as Readonly<Record<string, unknown>>;
  return table.fields
    .map((field): [NamedField, unknown] => [field, held[field.property]])
    .filter(([field, value]) => !isLeftOut(field, value));
}

function isLeftOut({ presence }: NamedField, value: unknown): boolean {
  if (presence === "many") return (value as readonly unknown[]).length === 0;
  if (presence === "optional") return value === undefined;
  if (value instanceof Uint8Array) return value.length === 0;
  return value === 0n || value === 0 || value === false || value === "";
}

function valueJson({ table }: NamedField, value: unknown): string {
  if (table !== undefined) return goJsonOf(table(), value);
  if (value instanceof Uint8Array) return `"${base64(value)}"`;
  return typeof value === "string" ? goJson(value) : String(value);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
