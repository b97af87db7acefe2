import { UsageError } from "./usage-error.ts";

/** A value of a JSON file and where it stands. Whatever reads it as what it is not throws a UsageError. */
export class JsonField {
  readonly #value: unknown;
  readonly #at: string;
  readonly #path: string;

  constructor(value: unknown, at: string, path: string) {
    this.#value = value;
    this.#at = at;
    this.#path = path;
  }

  wrong(wanted: string): UsageError {
    const found = JSON.stringify(this.#value) ?? "missing";
    const shown = found.length > 60 ? `${found.slice(0, 60)}…` : found;
    return new UsageError(
      `${this.#path}: ${this.#at || "all of it"} must be ${wanted}, is ${shown}`,
    );
  }

  get exists(): boolean {
    return this.#value !== undefined;
  }

  of(name: string): JsonField {
    const at = this.#at === "" ? name : `${this.#at}.${name}`;
    return new JsonField(
      Object.hasOwn(this.#object(), name) ? this.#object()[name] : undefined,
      at,
      this.#path,
    );
  }

  /** Undefined where there is no such field. */
  optional<T>(name: string, read: (field: JsonField) => T): T | undefined {
    const field = this.of(name);
    return field.exists ? read(field) : undefined;
  }

  string(): string {
    if (typeof this.#value !== "string") throw this.wrong("a string");
    return this.#value;
  }

  number(): number {
    if (typeof this.#value !== "number") throw this.wrong("a number");
    return this.#value;
  }

  boolean(): boolean {
    if (typeof this.#value !== "boolean") throw this.wrong("true or false");
    return this.#value;
  }

  oneOf<T extends string | number>(...values: readonly T[]): T {
    const found = values.find((value) => value === this.#value);
    if (found === undefined)
      throw this.wrong(values.map((value) => JSON.stringify(value)).join(" or "));
    return found;
  }

  list<T>(read: (field: JsonField) => T): T[] {
    if (!Array.isArray(this.#value)) throw this.wrong("a list");
    return this.#value.map((value: unknown, i) =>
      read(new JsonField(value, `${this.#at}[${i}]`, this.#path)),
    );
  }

  record<T>(read: (field: JsonField) => T): Record<string, T> {
    return Object.fromEntries(
      Object.keys(this.#object()).map((name) => [name, read(this.of(name))]),
    );
  }

  #object(): Record<string, unknown> {
    const value = this.#value;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.wrong("an object");
    }
    return value as Record<string, unknown>;
  }
}
