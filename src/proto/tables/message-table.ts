/**
 * Messages as tables of their fields: what a client needs to write requests, read answers and print them, with the
 * types that follow from the table. It costs a client less to load than the generated code (a few ms for 50), and what
 * is needed often on the server has codecs of its own, by hand.
 *
 * All integers of 64 bits are bigint here: a client prints what a server says to the last digit.
 */
import { utf8 } from "../../base/bytes.ts";
import { type MessageWriter, written } from "../message-writer.ts";
import { EMPTY_BYTES, FieldReader } from "../protobuf.ts";

export type Scalar = "int64" | "uint64" | "int32" | "uint32" | "bool" | "string" | "bytes";

/** One field. `V` is what a message has in its place. */
export interface Field<V = unknown> {
  readonly number: number;
  /** The proto name, if it is not the property's in snake_case. */
  readonly name: string | undefined;
  readonly scalar: Scalar | undefined;
  readonly table: (() => MessageTable) | undefined;
  /** `one`: left out if zero. `optional`: there or undefined, as messages and members of a union are. */
  readonly presence: "one" | "optional" | "many";
  /** Never there: it carries the type. */
  readonly type?: V;
}

export interface MessageTable<M = unknown> {
  /** `etcdserverpb.PutRequest` */
  readonly typeName: string;
  /** In the order of etcd's struct, which is that of its JSON. */
  readonly fields: readonly NamedField[];
  readonly byNumber: ReadonlyMap<number, NamedField>;
  /** Never there: it carries the type. */
  readonly type?: M;
}

export interface NamedField extends Field {
  readonly property: string;
  /** `cluster_id` */
  readonly protoName: string;
}

type Fields = Readonly<Record<string, Field>>;
/** A message as it may be written: what is missing is zero. */
export type Partially<M> = M extends Uint8Array | bigint
  ? M
  : M extends readonly (infer E)[]
    ? readonly Partially<E>[]
    : M extends object
      ? { readonly [K in keyof M]?: Partially<M[K]> | undefined }
      : M;

type MessageWith<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer V> ? V : never;
};

export function message<F extends Fields>(
  typeName: string,
  fields: F,
): MessageTable<MessageWith<F>> {
  const named = Object.entries(fields).map(
    ([property, field]): NamedField => ({
      ...field,
      property,
      protoName: field.name ?? snakeCase(property),
    }),
  );
  return { typeName, fields: named, byNumber: new Map(named.map((one) => [one.number, one])) };
}

function snakeCase(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function scalar<V>(kind: Scalar): (number: number, name?: string) => Field<V> {
  return (number, name) => ({ number, name, scalar: kind, table: undefined, presence: "one" });
}

export const int64: (number: number, name?: string) => Field<bigint> = scalar("int64");
export const uint64: (number: number, name?: string) => Field<bigint> = scalar("uint64");
export const int32: (number: number, name?: string) => Field<number> = scalar("int32");
export const uint32: (number: number, name?: string) => Field<number> = scalar("uint32");
/** Enums stay numbers. */
export const enumeration: (number: number, name?: string) => Field<number> = int32;
export const bool: (number: number, name?: string) => Field<boolean> = scalar("bool");
export const string: (number: number, name?: string) => Field<string> = scalar("string");
export const bytes: (number: number, name?: string) => Field<Uint8Array> = scalar("bytes");

/** A message within, undefined if it is not there. @param table  asked for when it is needed: messages may hold their own kind */
export function sub<M>(
  number: number,
  table: () => MessageTable<M>,
  name?: string,
): Field<M | undefined> {
  return { number, name, scalar: undefined, table, presence: "optional" };
}

/** A member of a union: written even if it is zero. */
export function optional<V>(field: Field<V>): Field<V | undefined> {
  return { ...field, presence: "optional" } as Field<V | undefined>;
}

export function repeated<V>(field: Field<V>): Field<readonly NonNullable<V>[]> {
  return { ...field, presence: "many" } as Field<readonly NonNullable<V>[]>;
}

/** What a field has that is not on the wire. */
export function zeroOf({ presence, scalar: kind }: Field): unknown {
  if (presence === "many") return [];
  switch (presence === "optional" ? undefined : kind) {
    case "int64":
    case "uint64":
      return 0n;
    case "int32":
    case "uint32":
      return 0;
    case "bool":
      return false;
    case "string":
      return "";
    case "bytes":
      return EMPTY_BYTES;
    case undefined:
      return undefined;
  }
}

/** In memory of its own. */
export function encode<M>(table: MessageTable<M>, value: Partially<M>): Uint8Array {
  return written(writeMessage, { table, value: value as Plain });
}

/** One call: its path, and what goes and comes. */
export interface Method<I = unknown, O = unknown> {
  /** `/etcdserverpb.KV/Put` */
  readonly path: string;
  readonly input: MessageTable<I>;
  readonly output: MessageTable<O>;
}

export function method<I, O>(
  path: string,
  input: MessageTable<I>,
  output: MessageTable<O>,
): Method<I, O> {
  return { path, input, output };
}

type Plain = Readonly<Record<string, unknown>>;

function writeMessage(
  to: MessageWriter,
  { table, value }: { readonly table: MessageTable; readonly value: Plain },
): void {
  for (let i = table.fields.length - 1; i >= 0; i--) {
    const field = table.fields[i] as NamedField;
    const held = value[field.property];
    if (held === undefined) continue;
    if (field.presence !== "many") writeField(to, field, held);
    else writeMany(to, field, held as readonly unknown[]);
  }
}

function writeMany(to: MessageWriter, field: NamedField, held: readonly unknown[]): void {
  // Only enums are repeated among numbers: one by one, which every reader takes.
  for (let i = held.length - 1; i >= 0; i--) {
    writeField(to, { ...field, presence: "optional" }, held[i]);
  }
}

function writeField(to: MessageWriter, field: NamedField, held: unknown): void {
  const { number, table, presence } = field;
  if (table !== undefined) {
    const before = to.length;
    writeMessage(to, { table: table(), value: held as Plain });
    to.message(number, before);
    return;
  }
  const always = presence === "optional";
  switch (field.scalar) {
    case "int64":
    case "uint64":
      if (always || held !== 0n) to.presentBigint(number, held as bigint);
      break;
    case "int32":
    case "uint32":
      if (always || held !== 0) to.presentInt64(number, held as number);
      break;
    case "bool":
      if (always || held === true) to.presentInt64(number, held === true ? 1 : 0);
      break;
    case "string":
      if (always || held !== "") to.presentBytes(number, utf8(held as string));
      break;
    case "bytes":
      if (always || (held as Uint8Array).length > 0) to.presentBytes(number, held as Uint8Array);
      break;
    case undefined:
      break;
  }
}

/** Bytes that are no such message. */
export class DecodeError extends Error {
  override readonly name: string = "DecodeError";
}

/**
 * Fields that the table does not know are skipped. Bytes fields are views of `from`.
 * @throws DecodeError if it is not protobuf
 */
export function decode<M>(
  table: MessageTable<M>,
  from: Uint8Array,
  start = 0,
  end: number = from.length,
): M {
  const made: Record<string, unknown> = {};
  for (const field of table.fields) made[field.property] = zeroOf(field);
  const reader = new FieldReader().open(from, start, end);
  while (reader.next()) {
    const field = table.byNumber.get(reader.field);
    if (field !== undefined) readField(made, field, reader);
  }
  if (reader.fault !== undefined) throw new DecodeError(`${table.typeName}: ${reader.fault}`);
  return made as M;
}

function readField(made: Record<string, unknown>, field: NamedField, reader: FieldReader): void {
  const { property, presence, table } = field;
  const isBytes = table !== undefined || field.scalar === "bytes" || field.scalar === "string";
  if (presence === "many" && !isBytes && reader.wire === 2) {
    readPacked(made[property] as unknown[], field, reader);
    return;
  }
  if (reader.wire !== (isBytes ? 2 : 0)) return;
  const held =
    table === undefined
      ? scalarOf(field, reader)
      : decode(table(), reader.bytes, reader.start, reader.start + reader.length);
  if (presence === "many") (made[property] as unknown[]).push(held);
  else made[property] = held;
}

const utf8Text = new TextDecoder();

function scalarOf(field: NamedField, reader: FieldReader): unknown {
  switch (field.scalar) {
    case "int64":
      return reader.int64Big;
    case "uint64":
      return reader.bigint;
    case "int32":
      return reader.int32;
    case "uint32":
      return reader.low >>> 0;
    case "bool":
      return reader.bool;
    case "string":
      return utf8Text.decode(reader.view);
    default:
      return reader.view;
  }
}

/** Numbers one behind the other, as most writers of proto3 put them. */
function readPacked(into: unknown[], field: NamedField, reader: FieldReader): void {
  // A varint is read by a reader of fields: with a tag before each.
  const end = reader.start + reader.length;
  for (let at = reader.start; at < end; ) {
    let to = at;
    while (to < end && ((reader.bytes[to] as number) & 0x80) !== 0) to++;
    const one = new Uint8Array(to - at + 2);
    one[0] = 8;
    one.set(reader.bytes.subarray(at, to + 1), 1);
    const inner = new FieldReader().open(one);
    if (inner.next()) into.push(scalarOf(field, inner));
    at = to + 1;
  }
}
