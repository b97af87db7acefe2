/**
 * Finds things in .proto files, which it is given as FileDescriptorProto messages: {1 name, 2 package, 3 dependency,
 * 4 message_type, 5 enum_type, 6 service, 7 extension}. In a message: {1 name, 2 field, 3 nested_type, 4 enum_type,
 * 6 extension, 8 oneof_decl}; in an enum or a service {1 name, 2 value or method}; in a field {1 name, 2 extendee,
 * 3 number}.
 *
 * @see protobuf descriptor.proto
 */
import { StrataError } from "../base/errors.ts";
import { FieldReader } from "../proto/protobuf.ts";

interface File {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly imports: readonly string[];
}

/** What a bytes field of a descriptor is about. */
type Visit = (field: number, fields: FieldReader) => void;

export class FileIndex {
  readonly #files = new Map<string, File>();
  /** By full name, without a dot in front. */
  readonly #symbols = new Map<string, File>();
  /** By the full name of the message that is extended, then number. */
  readonly #extensions = new Map<string, Map<number, File>>();

  /** @throws StrataError BAD_ARGUMENT  one is no FileDescriptorProto */
  constructor(files: readonly Uint8Array[]) {
    for (const bytes of files) this.#add(bytes);
  }

  named(name: string): File | undefined {
    return this.#files.get(name);
  }

  /** @param symbol  full name of a message, field, enum, value, service, method or extension */
  declaring(symbol: string): File | undefined {
    return this.#symbols.get(symbol);
  }

  extending(message: string, number: number): File | undefined {
    return this.#extensions.get(message)?.get(number);
  }

  /** In ascending order. */
  extensionNumbers(message: string): readonly number[] {
    return [...(this.#extensions.get(message)?.keys() ?? [])].sort((a, b) => a - b);
  }

  /** The file, and all that it imports, but for those in `sent`; `sent` has them then. */
  withImports(file: File, sent: Set<string>): readonly Uint8Array[] {
    const found: Uint8Array[] = [];
    const queue = [file];
    for (const one of queue) {
      if (found.length > 0 && sent.has(one.name)) continue;
      sent.add(one.name);
      found.push(one.bytes);
      for (const name of one.imports) {
        const imported = this.#files.get(name);
        if (imported !== undefined && !sent.has(name)) queue.push(imported);
      }
    }
    return found;
  }

  #add(bytes: Uint8Array): void {
    let name = "";
    let scope = "";
    const imports: string[] = [];
    visit(bytes, (field, fields) => {
      if (field === 1) name = fields.text;
      else if (field === 2) scope = fields.text;
      else if (field === 3) imports.push(fields.text);
    });
    const file = { name, bytes, imports };
    this.#files.set(name, file);
    visit(bytes, (field, { view }) => {
      if (field === 4) this.#addMessage(file, scope, view);
      else if (field === 5) this.#addNamed(file, scope, view, true);
      else if (field === 6) this.#addNamed(file, scope, view, false);
      else if (field === 7) this.#addField(file, scope, view);
    });
  }

  #addMessage(file: File, scope: string, bytes: Uint8Array): void {
    const inside = this.#addSymbol(file, scope, bytes);
    visit(bytes, (field, { view }) => {
      if (field === 2 || field === 8) this.#addSymbol(file, inside, view);
      else if (field === 3) this.#addMessage(file, inside, view);
      else if (field === 4) this.#addNamed(file, inside, view, true);
      else if (field === 6) this.#addField(file, inside, view);
    });
  }

  /** An enum, whose values are named beside it, or a service, whose methods are named in it. */
  #addNamed(file: File, scope: string, bytes: Uint8Array, beside: boolean): void {
    const inside = this.#addSymbol(file, scope, bytes);
    visit(bytes, (field, { view }) => {
      if (field === 2) this.#addSymbol(file, beside ? scope : inside, view);
    });
  }

  /** An extension. */
  #addField(file: File, scope: string, bytes: Uint8Array): void {
    this.#addSymbol(file, scope, bytes);
    let extendee = "";
    let number = 0;
    visit(bytes, (field, fields) => {
      if (field === 2) extendee = fields.text.replace(/^\./, "");
      else if (field === 3) number = fields.number;
    });
    const numbers = this.#extensions.get(extendee) ?? new Map<number, File>();
    this.#extensions.set(extendee, numbers.set(number, file));
  }

  /** @returns its full name */
  #addSymbol(file: File, scope: string, bytes: Uint8Array): string {
    let name = "";
    visit(bytes, (field, fields) => {
      if (field === 1) name = fields.text;
    });
    const full = scope === "" ? name : `${scope}.${name}`;
    this.#symbols.set(full, file);
    return full;
  }
}

function visit(bytes: Uint8Array, each: Visit): void {
  const fields = new FieldReader().open(bytes);
  while (fields.next()) each(fields.field, fields);
  if (fields.fault !== undefined) {
    throw new StrataError("BAD_ARGUMENT", `no FileDescriptorProto: ${fields.fault}`);
  }
}
