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
import { Code, malformedMessage } from "./status.ts";

/**
 * @param others  all services of the server but these two
 * @param files  FileDescriptorProto messages: those of all services, and what they import. Asked for at the first
 *   request, and again only if that failed
 */
export function reflectionServices(
  others: readonly Service[],
  files: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>,
): readonly Service[] {
  const names = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
  const all = [...others.map(({ name }) => name), ...names].sort();
  let index: FileIndex | undefined;
  const load = async (): Promise<FileIndex> => {
    index ??= new FileIndex(await files());
    return index;
  };
  return names.map((name) => ({
    name,
    methods: {
      ServerReflectionInfo: {
        kind: "bidiStream",
        open: (call) => new ReflectionStream(call, index ?? load, all),
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
  /** Undefined: it is being loaded. */
  #index: FileIndex | undefined;
  readonly #services: readonly string[];
  /** Files that this client has. */
  readonly #sent = new Set<string>();
  readonly #waiting: Asked[] = [];
  /** The first of them that has no answer yet. */
  #next = 0;
  #room = true;
  #halfClosed = false;

  constructor(
    call: StreamCall,
    index: FileIndex | (() => Promise<FileIndex>),
    services: readonly string[],
  ) {
    this.#call = call;
    this.#services = services;
    if (index instanceof FileIndex) this.#index = index;
    else {
      call.pause();
      index().then(
        (loaded) => {
          this.#index = loaded;
          call.resume();
          this.#goOn();
        },
        (error: unknown) => call.failWith(error),
      );
    }
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
    this.#next = 0;
  }

  #goOn(): void {
    const index = this.#index;
    while (index !== undefined && this.#room && !this.#call.ended) {
      const asked = this.#waiting[this.#next];
      if (asked === undefined) {
        this.#waiting.length = 0;
        this.#next = 0;
        if (this.#halfClosed) this.#call.end();
        return;
      }
      this.#next++;
      const answer = this.#answer(index, asked);
      if (answer === undefined) return;
      this.#room = this.#call.send(answer);
      if (!this.#room) this.#call.pause();
    }
  }

  /** Undefined: the request is none, and the call has failed. */
  #answer(index: FileIndex, { bytes, start, end }: Asked): Uint8Array | undefined {
    const fields = new FieldReader().open(bytes, start, end);
    // Written from the last field to the first, so what is asked for is found before anything is written.
    let host: Uint8Array | undefined;
    // Of a oneof the last counts.
    let asked = 0;
    let at = 0;
    let length = 0;
    while (fields.next()) {
      const { field } = fields;
      if (field === 1 && fields.is(2)) host = utf8(fields.text);
      else if (field >= 3 && field <= 7 && fields.is(2)) {
        asked = field;
        at = fields.start;
        length = fields.length;
      }
    }
    fields.start = at;
    fields.length = length;
    const write = asked === 0 ? undefined : this.#found(index, asked, fields);
    if (fields.fault !== undefined) {
      this.#call.fail(Code.internal, malformedMessage(fields.fault));
      return undefined;
    }
    if (write === undefined) {
      this.#call.fail(Code.invalidArgument, "invalid MessageRequest: <nil>");
      return undefined;
    }
    const to = new MessageWriter();
    write(to);
    to.presentBytes(2, bytes.subarray(start, end));
    if (host !== undefined) to.bytes(1, host);
    return to.take();
  }

  #found(index: FileIndex, field: number, fields: FieldReader): (to: MessageWriter) => void {
    if (field === 3) return this.#files(index, index.named(fields.text));
    if (field === 4) return this.#files(index, index.declaring(fields.text));
    if (field === 5) return this.#files(index, extending(index, fields));
    if (field === 6) return numbersOf(index, fields.text);
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

  #files(index: FileIndex, file: ReturnType<FileIndex["named"]>): (to: MessageWriter) => void {
    if (file === undefined) return notFound;
    const files = index.withImports(file, this.#sent);
    return (to) => {
      const before = to.length;
      for (const bytes of files.toReversed()) to.presentBytes(1, bytes);
      to.message(4, before);
    };
  }
}

function numbersOf(index: FileIndex, type: string): (to: MessageWriter) => void {
  const numbers = index.extensionNumbers(type);
  if (numbers.length === 0 && index.declaring(type) === undefined) return notFound;
  return (to) => {
    const before = to.length;
    for (const number of numbers.toReversed()) to.presentInt64(2, number);
    to.text(1, type);
    to.message(5, before);
  };
}

function notFound(to: MessageWriter): void {
  const before = to.length;
  to.text(2, "proto: not found");
  to.presentInt64(1, Code.notFound);
  to.message(7, before);
}

/** What an ExtensionRequest asks for; if it is none, `outer` stops. */
function extending(index: FileIndex, outer: FieldReader): ReturnType<FileIndex["named"]> {
  const fields = new FieldReader().open(outer.view);
  let type = "";
  let number = 0;
  while (fields.next()) {
    if (fields.field === 1 && fields.is(2)) type = fields.text;
    else if (fields.field === 2 && fields.is(0)) number = fields.int32;
  }
  if (fields.fault !== undefined) outer.stop(fields.fault);
  return index.extending(type, number);
}
