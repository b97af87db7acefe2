/**
 * What gRPC's server reflection tells: the services there are and the descriptors of their files. They come with the
 * generated code; nothing is read from disk. Loading it costs tens of milliseconds: import it when someone asks.
 */
import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { file_etcd_api_authpb_auth } from "./gen/etcd/api/authpb/auth_pb.ts";
import { file_etcd_api_etcdserverpb_rpc } from "./gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { file_etcd_api_mvccpb_kv } from "./gen/etcd/api/mvccpb/kv_pb.ts";
import { file_etcd_server_v3electionpb_v3election } from "./gen/etcd/server/v3electionpb/v3election_pb.ts";
import { file_etcd_server_v3lockpb_v3lock } from "./gen/etcd/server/v3lockpb/v3lock_pb.ts";
import { file_grpc_health_v1_health } from "./gen/grpc/health/v1/health_pb.ts";
import { file_grpc_reflection_v1_reflection } from "./gen/grpc/reflection/v1/reflection_pb.ts";
import { file_grpc_reflection_v1alpha_reflection } from "./gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { file_strata_maintenance } from "./gen/strata/maintenance_pb.ts";

/** All files, each after those that it imports. */
const FILES: readonly DescFile[] = [
  file_etcd_api_mvccpb_kv,
  file_etcd_api_authpb_auth,
  file_etcd_api_etcdserverpb_rpc,
  file_etcd_server_v3lockpb_v3lock,
  file_etcd_server_v3electionpb_v3election,
  file_strata_maintenance,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
  file_grpc_reflection_v1alpha_reflection,
];

export interface DescribedFile {
  /** `etcd/api/mvccpb/kv.proto` */
  readonly name: string;
  /** A serialised google.protobuf.FileDescriptorProto. */
  readonly bytes: Uint8Array;
  /** Names of the files that it imports. */
  readonly imports: readonly string[];
}

export interface Descriptors {
  /** By file name. */
  readonly files: ReadonlyMap<string, DescribedFile>;
  /** The name of the file by the full name of what it declares: `etcdserverpb.KV`, `etcdserverpb.KV.Put`, `mvccpb.Event.EventType`. */
  readonly symbols: ReadonlyMap<string, string>;
  /** `etcdserverpb.KV` */
  readonly services: readonly string[];
}

let described: Descriptors | undefined;

/** Made at the first call. */
export function descriptors(): Descriptors {
  described ??= describe();
  return described;
}

function describe(): Descriptors {
  const files = new Map<string, DescribedFile>();
  const symbols = new Map<string, string>();
  const services: string[] = [];
  for (const file of FILES) {
    const { name } = file.proto;
    const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    files.set(name, { name, bytes, imports: [...file.proto.dependency] });
    for (const type of nestedTypes(file)) {
      symbols.set(type.typeName, name);
      if (type.kind === "service") {
        services.push(type.typeName);
        for (const method of type.methods) symbols.set(`${type.typeName}.${method.name}`, name);
      }
    }
  }
  return { files, symbols, services };
}
