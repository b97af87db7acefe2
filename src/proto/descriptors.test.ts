import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { descriptors } from "./descriptors.ts";

test("every service and its methods are found in a file, and every file's imports are there", () => {
  const { files, symbols, services } = descriptors();
  expect(services).toEqual([
    "etcdserverpb.KV",
    "etcdserverpb.Watch",
    "etcdserverpb.Lease",
    "etcdserverpb.Cluster",
    "etcdserverpb.Maintenance",
    "etcdserverpb.Auth",
    "v3lockpb.Lock",
    "v3electionpb.Election",
    "stratapb.Maintenance",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
  ]);
  expect(symbols.get("etcdserverpb.KV.RangeStream")).toBe("etcd/api/etcdserverpb/rpc.proto");
  expect(symbols.get("mvccpb.Event.EventType")).toBe("etcd/api/mvccpb/kv.proto");
  for (const { imports } of files.values())
    for (const name of imports) expect(files.has(name)).toBe(true);
});

test("the bytes are those of a FileDescriptorProto", () => {
  const { bytes } = descriptors().files.get("etcd/api/mvccpb/kv.proto") ?? {
    bytes: new Uint8Array(),
  };
  const file = fromBinary(FileDescriptorProtoSchema, bytes);
  expect(file.package).toBe("mvccpb");
  expect(file.messageType.map(({ name }) => name)).toEqual(["KeyValue", "Event"]);
});
