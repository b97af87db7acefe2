/** Read by protobuf-es's descriptors: what it makes of the same files is the judge. */
import { toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_descriptor,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
} from "@bufbuild/protobuf/wkt";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { FakeStream, frame, request, requestHead } from "../../test/support/fake-stream.ts";
import { FieldReader, FieldWriter } from "../proto/protobuf.ts";
import { FileIndex } from "./file-index.ts";
import { GrpcServer } from "./grpc-server.ts";
import { HealthBook } from "./health.ts";
import { reflectionServices } from "./reflection.ts";

function collect(
  file: typeof file_google_protobuf_type,
  into = new Map<string, Uint8Array>(),
): Map<string, Uint8Array> {
  into.set(file.proto.name, toBinary(FileDescriptorProtoSchema, file.proto));
  for (const imported of file.dependencies) collect(imported, into);
  return into;
}

/** One file that extends, written by hand. */
const extending = new FieldWriter()
  .message(1, Buffer.from("x.proto"))
  .message(2, Buffer.from("x"))
  .message(3, Buffer.from("google/protobuf/descriptor.proto"))
  .message(
    7,
    new FieldWriter()
      .message(1, Buffer.from("mark"))
      .message(2, Buffer.from(".google.protobuf.MethodOptions"))
      .number(3, 50_001)
      .bytes(),
  )
  .message(
    6,
    new FieldWriter()
      .message(1, Buffer.from("Greeter"))
      .message(2, new FieldWriter().message(1, Buffer.from("Hello")).bytes())
      .bytes(),
  )
  .bytes();

const known = new Map([
  ...collect(file_google_protobuf_type),
  ...collect(file_google_protobuf_timestamp),
  ...collect(file_google_protobuf_descriptor),
  ["x.proto", extending] as const,
]);
const files = [...known.values()];

describe("the index", () => {
  const index = new FileIndex(files);

  test.each([
    ["google.protobuf.Timestamp", "google/protobuf/timestamp.proto"],
    ["google.protobuf.Timestamp.seconds", "google/protobuf/timestamp.proto"],
    ["google.protobuf.Field.Kind", "google/protobuf/type.proto"],
    // The values of an enum stand beside it.
    ["google.protobuf.Field.TYPE_DOUBLE", "google/protobuf/type.proto"],
    ["google.protobuf.SYNTAX_PROTO2", "google/protobuf/type.proto"],
    ["google.protobuf.DescriptorProto.ExtensionRange.start", "google/protobuf/descriptor.proto"],
    ["x.Greeter", "x.proto"],
    ["x.Greeter.Hello", "x.proto"],
    ["x.mark", "x.proto"],
  ])("%s", (symbol, name) => {
    expect(index.declaring(symbol)?.name).toBe(name);
  });

  test("what is not there", () => {
    expect(index.declaring("google.protobuf")).toBeUndefined();
    expect(index.declaring("")).toBeUndefined();
    expect(index.named("nope.proto")).toBeUndefined();
    expect(() => new FileIndex([Buffer.from("nonsense")])).toThrow("no FileDescriptorProto");
  });
});

const server = new GrpcServer({
  services: reflectionServices([new HealthBook().service], () => files),
  maxReceiveBytes: 10_000,
});

/** Its files are loaded with the first request. */
async function load(): Promise<void> {
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const { stream } = request(server.onRequest, path, frame("\x3a\x01*"));
  await vi.waitFor(() => expect(stream.status).toBe(0));
}

/** The answers' fields 4 to 7, by their number. @param asked  ServerReflectionRequest without host */
function ask(
  version: "v1" | "v1alpha",
  ...asked: readonly (readonly [field: number, value: Uint8Array | string])[]
): { readonly status: number; readonly answers: readonly { field: number; bytes: Uint8Array }[] } {
  const { stream } = request(
    server.onRequest,
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    ...asked.map(([field, value]) =>
      frame(
        new FieldWriter().message(1, Buffer.from("me")).message(field, Buffer.from(value)).bytes(),
      ),
    ),
  );
  const body = Buffer.from(stream.body, "latin1");
  const answers: { field: number; bytes: Uint8Array }[] = [];
  for (let at = 0; at < body.length; at += 5 + body.readUInt32BE(at + 1)) {
    const fields = new FieldReader().open(body, at + 5, at + 5 + body.readUInt32BE(at + 1));
    while (fields.next()) {
      if (fields.field === 1) expect(fields.text).toBe("me");
      if (fields.field > 2) answers.push({ field: fields.field, bytes: fields.view });
    }
  }
  return { status: stream.status, answers };
}

function parts(bytes: Uint8Array | undefined): readonly (readonly [number, string | number])[] {
  const out: [number, string | number][] = [];
  const fields = new FieldReader().open(bytes ?? new Uint8Array());
  while (fields.next()) {
    out.push([
      fields.field,
      fields.wire === 2 ? Buffer.from(fields.view).toString("latin1") : fields.number,
    ]);
  }
  return out;
}

beforeAll(load);

describe.each(["v1", "v1alpha"] as const)("%s", (version) => {
  test("lists services", () => {
    const { status, answers } = ask(version, [7, "*"]);
    expect(status).toBe(0);
    const names = parts(answers[0]?.bytes).map(
      ([, value]) => parts(Buffer.from(`${value}`, "latin1"))[0]?.[1],
    );
    expect(answers[0]?.field).toBe(6);
    expect(names).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
  });

  test("files come with what they import, each once on a stream", () => {
    const { answers } = ask(
      version,
      [3, "google/protobuf/type.proto"],
      [4, "google.protobuf.Type"],
      [4, "google.protobuf.Any"],
      [4, "google.protobuf.Timestamp"],
    );
    const names = answers.map(({ bytes }) =>
      parts(bytes).map(([, file]) => parts(Buffer.from(`${file}`, "latin1"))[0]?.[1]),
    );
    expect(names).toEqual([
      [
        "google/protobuf/type.proto",
        "google/protobuf/any.proto",
        "google/protobuf/source_context.proto",
      ],
      ["google/protobuf/type.proto"],
      ["google/protobuf/any.proto"],
      ["google/protobuf/timestamp.proto"],
    ]);
    const [type] = parts(answers[0]?.bytes);
    expect(Buffer.from(`${type?.[1]}`, "latin1")).toEqual(
      Buffer.from(known.get("google/protobuf/type.proto") ?? []),
    );
  });

  test("extensions", () => {
    const extension = new FieldWriter()
      .message(1, Buffer.from("google.protobuf.MethodOptions"))
      .number(2, 50_001)
      .bytes();
    const { answers } = ask(
      version,
      [5, extension],
      [6, "google.protobuf.MethodOptions"],
      [6, "google.protobuf.Timestamp"],
    );
    expect(parts(answers[0]?.bytes)).toHaveLength(2);
    expect(parts(answers[1]?.bytes)).toEqual([
      [1, "google.protobuf.MethodOptions"],
      [2, 50_001],
    ]);
    expect(parts(answers[2]?.bytes)).toEqual([[1, "google.protobuf.Timestamp"]]);
  });

  test("what is not found is an answer, not an end", () => {
    const nothing = new FieldWriter().message(1, Buffer.from("a")).number(2, 1).bytes();
    const { status, answers } = ask(version, [3, "a.proto"], [4, "a.B"], [5, nothing], [6, "a.B"]);
    expect(status).toBe(0);
    expect(answers).toHaveLength(4);
    for (const { field, bytes } of answers) {
      expect(field).toBe(7);
      expect(parts(bytes)).toEqual([
        [1, 5],
        [2, "proto: not found"],
      ]);
    }
  });
});

test("what is no request ends the stream", () => {
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  expect(request(server.onRequest, path, frame("")).stream.status).toBe(3);
  expect(request(server.onRequest, path, frame("\x1a\x05a")).stream.status).toBe(13);
});

test("files that cannot be had fail the call, and are asked for again", async () => {
  const load = vi.fn(() => Promise.reject(new Error("no files")));
  const own = new GrpcServer({ services: reflectionServices([], load), maxReceiveBytes: 1000 });
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  for (const times of [1, 2]) {
    const { stream } = request(own.onRequest, path, frame("\x3a\x01*"));
    await vi.waitFor(() => expect(stream).toMatchObject({ status: 2, message: "no files" }));
    expect(load).toHaveBeenCalledTimes(times);
  }
});

test("a client that does not read gets no more than fits", () => {
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const stream = new FakeStream();
  const listener = server.onRequest(stream, requestHead(path));
  stream.room = false;
  const one = frame(
    new FieldWriter().message(3, Buffer.from("google/protobuf/type.proto")).bytes(),
  );
  const many = Buffer.concat(new Array(1000).fill(one));
  listener.data(many, 0, many.length);
  listener.ended();
  expect(stream.paused).toBe(true);
  const first = stream.body.length;
  expect(first).toBeLessThan(20_000);
  listener.drained();
  expect(stream.body.length).toBeGreaterThan(first);
  expect(stream.closed).toBe(false);
  stream.room = true;
  listener.drained();
  expect(stream.status).toBe(0);
});
