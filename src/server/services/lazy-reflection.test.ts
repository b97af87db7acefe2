import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { openFake } from "../../../test/support/fake-call.ts";
import * as pb from "../../proto/gen/grpc/reflection/v1/reflection_pb.ts";
import { lazyReflection } from "./lazy-reflection.ts";

const request = (init: Parameters<typeof create<typeof pb.ServerReflectionRequestSchema>>[1]) =>
  toBinary(pb.ServerReflectionRequestSchema, create(pb.ServerReflectionRequestSchema, init));

test("services are listed and symbols found, though asked for before anything is loaded", async () => {
  const [v1] = lazyReflection([{ name: "etcdserverpb.KV", methods: {} }]);
  if (v1 === undefined) throw new Error("no service");
  const call = openFake(v1, "ServerReflectionInfo");
  expect(call.paused).toBe(true);
  call.write(request({ messageRequest: { case: "listServices", value: "" } }));
  call.write(
    request({
      messageRequest: { case: "fileContainingSymbol", value: "etcdserverpb.KV.RangeStream" },
    }),
  );
  call.halfClose();
  const answer = async () =>
    fromBinary(pb.ServerReflectionResponseSchema, await call.next()).messageResponse;
  const listed = await answer();
  expect(listed.case).toBe("listServicesResponse");
  expect((listed.value as pb.ListServiceResponse).service.map(({ name }) => name)).toEqual([
    "etcdserverpb.KV",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
  ]);
  const file = await answer();
  expect(file.case).toBe("fileDescriptorResponse");
  expect((file.value as pb.FileDescriptorResponse).fileDescriptorProto.length).toBeGreaterThan(0);
  expect(await call.whenEnded()).toEqual({ code: 0, message: "" });
  expect(call.paused).toBe(false);
});
