/**
 * grpc.reflection.v1 and v1alpha: by it tools such as grpcurl learn what a server understands. The two differ in their
 * names only.
 *
 * ServerReflectionRequest: {1 host, 3 file_by_filename, 4 file_containing_symbol, 5 file_containing_extension
 * {1 containing_type, 2 extension_number}, 6 all_extension_numbers_of_type, 7 list_services}. Response: {1 valid_host,
 * 2 original_request, 4 file_descriptor_response {1 file}, 5 all_extension_numbers_response {1 type, 2 number},
 * 6 list_services_response {1 service {1 name}}, 7 error_response {1 code, 2 message}}.
 *
 * @see grpc doc/server-reflection.md
 */
import { utf8 } from "../base/bytes.ts";
import { MessageWriter } from "../proto/message-writer.ts";
import { FieldReader } from "../proto/protobuf.ts";
import { FileIndex } from "./file-index.ts";
import type { MessageListener, Service, StreamCall } from "./service.ts";
import { Code, GrpcError, malformedMessage } from "./status.ts";

/**
 * @param others  all services of the server but these two
 * @param files  FileDescriptorProto messages: those of all services, and what they import
 */
export function reflectionServices(
  others: readonly Service[],
  files: readonly Uint8Array[],
): readonly Service[] {
  const names = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
  const index = new FileIndex(files);
  const all = [...others.map(({ name }) => name), ...names].sort();
  return names.map((name) => ({
    name,
    methods: {
      ServerReflectionInfo: {
        kind: "bidiStream",
        open: (call) => new ReflectionStream(call, index, all),
      },
    },
  }));
}

/** One request's bytes. */
interface Asked {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Answers one by one, as the client takes the answers, which may be a thousand times as large as the questions. */
class ReflectionStream implements MessageListener {
  readonly #call: StreamCall;
  readonly #index: FileIndex;
  readonly #services: readonly string[];
  /** Files that this client has. */
  readonly #sent = new Set<string>();
  readonly #waiting: Asked[] = [];
  #room = true;
  #halfClosed = false;

  constructor(call: StreamCall, index: FileIndex, services: readonly string[]) {
    this.#call = call;
    this.#index = index;
    this.#services = services;
  }

  message(bytes: Uint8Array, start: number, end: number): void {
    this.#waiting.push({ bytes, start, end });
    this.#goOn();
  }

  halfClosed(): void {
    this.#halfClosed = true;
    this.#goOn();
  }

  drained(): void {
    this.#room = true;
    this.#call.resume();
    this.#goOn();
  }

  closed(): void {
    this.#waiting.length = 0;
  }

  #goOn(): void {
    while (this.#room && !this.#call.ended) {
      const asked = this.#waiting.shift();
      if (asked === undefined) {
        if (this.#halfClosed) this.#call.end();
        return;
      }
      this.#room = this.#call.send(this.#answer(asked));
      if (!this.#room) this.#call.pause();
    }
  }

  /** @throws GrpcError the request is none */
  #answer({ bytes, start, end }: Asked): Uint8Array {
    const fields = new FieldReader().open(bytes, start, end);
    // Written from the last field to the first, so what is asked for is found before anything is written.
    let host: Uint8Array | undefined;
    let write: ((to: MessageWriter) => void) | undefined;
    while (fields.next()) {
      const { field } = fields;
      if (field === 1 && fields.is(2)) host = utf8(fields.text);
      else if (field >= 3 && field <= 7 && fields.is(2)) write = this.#found(field, fields);
    }
    if (fields.fault !== undefined) {
      throw new GrpcError(Code.internal, malformedMessage(fields.fault));
    }
    if (write === undefined) {
      throw new GrpcError(Code.invalidArgument, "invalid MessageRequest: <nil>");
    }
    const to = new MessageWriter();
    write(to);
    to.presentBytes(2, bytes.subarray(start, end));
    if (host !== undefined) to.bytes(1, host);
    return to.take();
  }

  #found(field: number, fields: FieldReader): (to: MessageWriter) => void {
    const index = this.#index;
    if (field === 3) return this.#files(index.named(fields.text));
    if (field === 4) return this.#files(index.declaring(fields.text));
    if (field === 5) {
      const { type, number } = extensionOf(fields.view);
      return this.#files(index.extending(type, number));
    }
    if (field === 6) return this.#numbers(fields.text);
    return (to) => {
      const before = to.length;
      for (const name of this.#services.toReversed()) {
        const inside = to.length;
        to.text(1, name);
        to.message(1, inside);
      }
      to.message(6, before);
    };
  }

  #files(file: ReturnType<FileIndex["named"]>): (to: MessageWriter) => void {
    if (file === undefined) return notFound;
    const files = this.#index.withImports(file, this.#sent);
    return (to) => {
      const before = to.length;
      for (const bytes of files.toReversed()) to.presentBytes(1, bytes);
      to.message(4, before);
    };
  }

  #numbers(type: string): (to: MessageWriter) => void {
    const numbers = this.#index.extensionNumbers(type);
    if (numbers.length === 0 && this.#index.declaring(type) === undefined) return notFound;
    return (to) => {
      const before = to.length;
      for (const number of numbers.toReversed()) to.presentInt64(2, number);
      to.text(1, type);
      to.message(5, before);
    };
  }
}

function notFound(to: MessageWriter): void {
  const before = to.length;
  to.text(2, "proto: not found");
  to.presentInt64(1, Code.notFound);
  to.message(7, before);
}

/** @throws GrpcError the bytes are no ExtensionRequest */
function extensionOf(bytes: Uint8Array): { readonly type: string; readonly number: number } {
  const fields = new FieldReader().open(bytes);
  let type = "";
  let number = 0;
  while (fields.next()) {
    if (fields.field === 1 && fields.is(2)) type = fields.text;
    else if (fields.field === 2 && fields.is(0)) number = fields.int32;
  }
  if (fields.fault !== undefined) {
    throw new GrpcError(Code.internal, malformedMessage(fields.fault));
  }
  return { type, number };
}
