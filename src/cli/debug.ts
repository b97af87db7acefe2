/** `--debug`: what the client was told, and what it does, on stderr. */
import type { CallSettings, MessageStream } from "../client/transport/transport.ts";
import type { TransportOptions } from "../client/transport/transport-options.ts";
import { explain } from "../console/failure.ts";
import type { FlagValues } from "../console/flags.ts";
import type { Io } from "../console/io.ts";
import { variableOf } from "./environment.ts";
import { ETCDCTL_GLOBAL_FLAGS } from "./global-flags.ts";
import type { ClientTransport } from "./session.ts";

/** `ETCDCTL_X=value` of every global flag. Nobody's password. */
export function showFlags(flags: FlagValues, { stderr }: Pick<Io, "stderr">): void {
  const lines = ETCDCTL_GLOBAL_FLAGS.map((spec) => {
    const shown = flags.shown(spec);
    if (spec.name === "password") return `${variableOf(spec)}=${shown.replace(/.+/s, "***")}`;
    if (spec.name === "user") return `${variableOf(spec)}=${shown.replace(/:.*/s, ":***")}`;
    return `${variableOf(spec)}=${shown}`;
  });
  stderr.write(`${lines.sort().join("\n")}\n`);
}

/** Says when a call begins, and how it ends. */
export class LoggedTransport implements ClientTransport {
  readonly #inner: ClientTransport;
  readonly #endpoints: string;
  readonly #io: Pick<Io, "stderr" | "now">;

  constructor(inner: ClientTransport, options: TransportOptions, io: Pick<Io, "stderr" | "now">) {
    this.#inner = inner;
    this.#endpoints = options.endpoints.join(",");
    this.#io = io;
  }

  async authenticate(limits: Pick<CallSettings, "timeoutMs">): Promise<void> {
    await this.#logged("authenticate", limits, () => this.#inner.authenticate(limits));
  }

  async unary(path: string, message: Uint8Array, settings: CallSettings = {}): Promise<Uint8Array> {
    return await this.#logged(path, settings, () => this.#inner.unary(path, message, settings));
  }

  stream(path: string, settings: CallSettings = {}): MessageStream {
    this.#log("INFO", `${path}: opened to ${settings.endpoint ?? this.#endpoints}`);
    return this.#inner.stream(path, settings);
  }

  async close(): Promise<void> {
    await this.#inner.close();
    this.#log("INFO", "closed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #logged<T>(what: string, settings: CallSettings, work: () => Promise<T>): Promise<T> {
    this.#log("INFO", `${what}: asked of ${settings.endpoint ?? this.#endpoints}`);
    const startMs = this.#io.now().getTime();
    const tookMs = (): number => this.#io.now().getTime() - startMs;
    try {
      const result = await work();
      this.#log("INFO", `${what}: done after ${tookMs()} ms`);
      return result;
    } catch (error) {
      const cause =
        error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
      const why = [explain(error) ?? String(error), cause?.message].filter(Boolean).join(": ");
      this.#log("WARNING", `${what}: failed after ${tookMs()} ms: ${why}`);
      throw error;
    }
  }

  #log(level: "INFO" | "WARNING", message: string): void {
    const at = this.#io.now().toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ");
    this.#io.stderr.write(`${level}: ${at} [client] ${message}\n`);
  }
}
