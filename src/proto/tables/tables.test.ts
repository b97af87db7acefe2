/** The tables against the descriptors that were generated from the proto files, and bytes against the generated code. */
import { create, type DescField, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { file_etcd_api_authpb_auth } from "../gen/etcd/api/authpb/auth_pb.ts";
import { file_etcd_api_etcdserverpb_rpc } from "../gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { file_etcd_api_mvccpb_kv } from "../gen/etcd/api/mvccpb/kv_pb.ts";
import { file_strata_maintenance } from "../gen/strata/maintenance_pb.ts";
import * as auth from "./auth.ts";
import * as cluster from "./cluster.ts";
import * as header from "./header.ts";
import * as keyValue from "./key-value.ts";
import * as kv from "./kv.ts";
import * as lease from "./lease.ts";
import * as maintenance from "./maintenance.ts";
import {
  DecodeError,
  decode,
  encode,
  type MessageTable,
  type Method,
  type NamedField,
} from "./message-table.ts";
import * as strata from "./strata.ts";
import * as watch from "./watch.ts";

const MODULES = [auth, cluster, header, keyValue, kv, lease, maintenance, strata, watch];

const tables = MODULES.flatMap((module): MessageTable[] =>
  Object.values(module).filter((value): value is MessageTable => "typeName" in value),
);

const methods = MODULES.flatMap((module) =>
  Object.values(module)
    .filter((value) => !("typeName" in value))
    .flatMap((service) => Object.values(service) as Method[]),
);

const described = new Map<string, DescMessage>();
const services = new Map<string, string>();
for (const file of [
  file_etcd_api_mvccpb_kv,
  file_etcd_api_authpb_auth,
  file_etcd_api_etcdserverpb_rpc,
  file_strata_maintenance,
]) {
  for (const type of nestedTypes(file)) {
    if (type.kind === "message") described.set(type.typeName, type);
    if (type.kind !== "service") continue;
    for (const { name, input, output } of type.methods) {
      services.set(`/${type.typeName}/${name}`, `${input.typeName} ${output.typeName}`);
    }
  }
}

const SCALARS: Readonly<Record<number, string>> = {
  3: "int64",
  4: "uint64",
  5: "int32",
  8: "bool",
  9: "string",
  12: "bytes",
  13: "uint32",
};

function shown(field: DescField): string {
  const of = field.fieldKind === "list" ? field.listKind : field.fieldKind;
  const kind =
    of === "message"
      ? field.message?.typeName
      : of === "enum"
        ? "int32"
        : SCALARS[field.scalar ?? 0];
  const presence =
    field.fieldKind === "list"
      ? "many"
      : of === "message" || field.oneof !== undefined
        ? "optional"
        : "one";
  return `${field.number} ${field.name} ${kind} ${presence}`;
}

function tabled({ number, protoName, scalar, table, presence }: NamedField): string {
  return `${number} ${protoName} ${scalar ?? table?.().typeName} ${presence}`;
}

test("every table has exactly the fields of its message", () => {
  expect(tables.length).toBeGreaterThan(90);
  for (const table of tables) {
    const { fields } = described.get(table.typeName) ?? { fields: [] };
    expect(table.fields.map(tabled).sort(), table.typeName).toEqual(fields.map(shown).sort());
  }
});

test("every method has its path and its messages", () => {
  expect(methods.length).toBe(46);
  for (const { path, input, output } of methods) {
    expect(services.get(path), path).toBe(`${input.typeName} ${output.typeName}`);
  }
});

function isInUnion(table: MessageTable, { number }: NamedField): boolean {
  const fields = described.get(table.typeName)?.fields ?? [];
  return fields.some((field) => field.number === number && field.oneof !== undefined);
}

/** Any message of a table, two messages deep; of a union one member. */
function anyOf(table: MessageTable, depth = 2): fc.Arbitrary<object> {
  const union = table.fields.filter((field) => isInUnion(table, field));
  if (union.length === 0) return anyWith(table.fields, depth);
  const rest = table.fields.filter((field) => !union.includes(field));
  return fc.oneof(...union.map((member) => anyWith([...rest, member], depth)));
}

function anyWith(fields: readonly NamedField[], depth: number): fc.Arbitrary<object> {
  const record: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of fields) {
    const one = anyValue(field, depth);
    if (one === undefined) continue;
    record[field.property] = field.presence === "many" ? fc.array(one, { maxLength: 3 }) : one;
  }
  return fc.record(record);
}

function anyValue({ scalar, table }: NamedField, depth: number): fc.Arbitrary<unknown> | undefined {
  if (table !== undefined) return depth === 0 ? undefined : anyOf(table(), depth - 1);
  const zero = <T>(value: T, others: fc.Arbitrary<T>): fc.Arbitrary<T> =>
    fc.oneof(fc.constant(value), others);
  switch (scalar) {
    case "int64":
      return zero(0n, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
    case "uint64":
      return zero(0n, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
    case "int32":
      return zero(0, fc.integer({ min: 0, max: 4 }));
    case "uint32":
      return zero(0, fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    case "bool":
      return fc.boolean();
    case "string":
      return fc.string({ unit: "grapheme", maxLength: 9 });
    default:
      return fc.uint8Array({ maxLength: 40 });
  }
}

describe("bytes", () => {
  for (const table of tables) {
    test(`${table.typeName}: what we write, the generated code reads, and the other way round`, () => {
      const desc = described.get(table.typeName) as DescMessage;
      fc.assert(
        fc.property(anyOf(table), (value) => {
          const bytes = encode(table, value);
          const theirs = toBinary(desc, fromBinary(desc, bytes));
          expect(decode(table, theirs)).toEqual(decode(table, bytes));
          expect(decode(table, bytes)).toMatchObject(value);
        }),
        { numRuns: 40 },
      );
    });
  }

  test("a field that nobody knows is skipped, and what is missing is zero", () => {
    const bytes = toBinary(
      described.get("mvccpb.KeyValue") as DescMessage,
      create(described.get("mvccpb.KeyValue") as DescMessage, {}),
    );
    expect(decode(keyValue.KEY_VALUE, Buffer.concat([bytes, Buffer.from([0xf8, 7, 1])]))).toEqual({
      key: new Uint8Array(0),
      createRevision: 0n,
      modRevision: 0n,
      version: 0n,
      value: new Uint8Array(0),
      lease: 0n,
    });
  });

  test("bytes that are no message are refused", () => {
    expect(() => decode(kv.PUT_REQUEST, Uint8Array.of(0x0a, 5, 1))).toThrow(DecodeError);
    expect(() => decode(kv.TXN_REQUEST, Uint8Array.of(0x0a, 2, 0x1a, 9))).toThrow(DecodeError);
  });
});
